"""Decodes images once and keeps them, as raw RGB, in one file that all workers map.

The folder of a decoded dataset is named by the digest of its encoded images, so it can never
be mistaken for another dataset's. It is written under a temporary name and renamed when it is
complete: a folder that exists is whole.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zoo_eval.cache import cache_folder
from zoo_eval.datasets.listing import Record
from zoo_eval.datasets.rgb import rgb, undisturbed
from zoo_eval.errors import DatasetError
from zoo_eval.unfinished import sweep, workspace

# Part of every digest: to be raised when `rgb` comes to give other pixels.
_VERSION = b"decoded 1\n"


class DecodedImages:
    """RGB images in one memory-mapped file.

    Args:
        folder: Where `decode` wrote them.

    Raises:
        DatasetError: the file is not as long as it was written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        self.kept: list[int] = index["kept"]
        self.skipped: list[tuple[int, str]] = [tuple(pair) for pair in index["skipped"]]
        self._shapes: list[tuple[int, int]] = [tuple(shape) for shape in index["shapes"]]
        sizes = [height * width * 3 for height, width in self._shapes]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        path = folder / "pixels.bin"
        if path.stat().st_size != self._starts[-1]:
            raise DatasetError(
                f"{path} should hold {self._starts[-1]} bytes, but holds {path.stat().st_size}. "
                "Delete its folder; the images are then decoded again."
            )
        # An empty file cannot be mapped.
        self._pixels = np.memmap(path, dtype=np.uint8, mode="r") if sizes else np.empty(0, np.uint8)

    def __reduce__(self) -> tuple[type["DecodedImages"], tuple[Path]]:
        return DecodedImages, (self._folder,)  # not the pixels: NumPy would pickle them all

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, place: int) -> Image.Image:
        height, width = self._shapes[place]
        flat = self._pixels[self._starts[place] : self._starts[place + 1]]
        return Image.fromarray(np.asarray(flat).reshape(height, width, 3))


def read_all(records: Sequence[Record]) -> tuple[list[bytes], str]:
    """The encoded images, and a digest over their contents, labels, order and our decoder.

    Raises:
        DatasetError: a file that cannot be opened at all.
    """
    digest = hashlib.sha256(_VERSION)
    contents: list[bytes] = []
    for record in records:
        try:
            content = record.read()
        except OSError as error:
            raise DatasetError(f"Image {record.name} cannot be opened: {error}") from error
        digest.update(hashlib.sha256(content).digest())
        digest.update(record.label.encode() + b"\0")
        contents.append(content)
    return contents, digest.hexdigest()


def decode(
    records: Sequence[Record], contents: Sequence[bytes], digest: str, *, strict: bool
) -> DecodedImages:
    """Decode the images, or find them decoded already.

    Args:
        records: Names, for messages.
        contents: The encoded images, in the same order.
        digest: Of the contents.
        strict: Whether an unreadable image is an error instead of being skipped.

    Raises:
        DatasetError: no image is readable, or one is not and `strict` is set, or the cache
            folder cannot be written.
    """
    folder = cache_folder("decoded") / digest
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        sweep(folder.parent)
        if not folder.is_dir():
            _write(contents, folder)
        images = DecodedImages(folder)
    except OSError as error:
        raise DatasetError(
            f"Decoded images cannot be kept in {folder.parent}: {error}. "
            "ZOO_EVAL_CACHE names another folder."
        ) from error
    if not len(images) or (strict and images.skipped):
        place, reason = images.skipped[0]
        raise DatasetError(
            f"{len(images.skipped)} of {len(records)} images cannot be read, for example "
            f"{records[place].name}: {reason}."
        )
    return images


def _write(contents: Sequence[bytes], folder: Path) -> None:
    kept: list[int] = []
    shapes: list[tuple[int, int]] = []
    skipped: list[tuple[int, str]] = []
    with workspace(folder.parent) as unfinished:
        whole = unfinished / "decoded"
        whole.mkdir()
        with (whole / "pixels.bin").open("wb") as file, undisturbed():
            for place, content in enumerate(contents):
                try:
                    image = rgb(content).image
                except DatasetError as reason:
                    skipped.append((place, str(reason)))
                    continue
                kept.append(place)
                shapes.append((image.height, image.width))
                file.write(image.tobytes())
        index = {"kept": kept, "shapes": shapes, "skipped": skipped}
        (whole / "index.json").write_text(json.dumps(index), encoding="utf-8")
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # another process finished the same folder first
                raise
