"""A dataset's images at one model's size, resized once for all models that want them alike.

Resizing a photograph takes about as long as a small network's pass over it, and a zoo asks for the
same few geometries again and again. So the resized images are kept, as uint8, beside the decoded
ones, in a file that all workers map. What is left per model is the normalisation.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
from jaxtyping import UInt8
from PIL import Image

from zoo_eval.cache import cache_folder
from zoo_eval.datasets.dataset import Dataset
from zoo_eval.datasets.preprocessing import Preprocessing
from zoo_eval.transforms.images import Alteration
from zoo_eval.unfinished import sweep, workspace

Pixels = UInt8[np.ndarray, "n height width 3"]

# All files together; the one that was used longest ago goes first.
MOST_BYTES = 20 * 1000**3
# Altered images come in several degrees, each a file that must not push out the others.
_ALTERATIONS = 16


def resized(
    dataset: Dataset, preprocessing: Preprocessing, alteration: Alteration | None = None
) -> Pixels | None:
    """All images of a dataset, resized and cropped; made now if no model has asked for them yet.

    Args:
        dataset: The images.
        preprocessing: How the model wants them.
        alteration: What is done to each of them before.

    Returns:
        The mapped file, or None if it would not fit: above `MOST_BYTES`, above half of what is
        free on the disk, or, altered, above what leaves the images themselves in their place.
    """
    path = _path(dataset, preprocessing, alteration)
    shape = len(dataset), preprocessing.image_size, preprocessing.image_size, 3
    found = _open(path, shape)
    if found is not None:
        return found
    size = math.prod(shape)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        most = MOST_BYTES if alteration is None else MOST_BYTES / _ALTERATIONS
        if size > min(most, shutil.disk_usage(path.parent).free / 2):
            return None
        _make_room(path.parent, MOST_BYTES - size)
        _write(path, dataset, resizing(dataset, preprocessing, alteration))
    except OSError:  # a full disk or a read-only folder: only speed is lost
        return None
    return _open(path, shape)


def resizing(
    dataset: Dataset, preprocessing: Preprocessing, alteration: Alteration | None
) -> Callable[[Image.Image], np.ndarray]:
    """From an image of a dataset to the pixels that the network sees, altered before."""
    resize = preprocessing.resize(cropped=dataset.cropped)
    return resize if alteration is None else lambda image: resize(alteration.change(image))


def _path(dataset: Dataset, preprocessing: Preprocessing, alteration: Alteration | None) -> Path:
    """Named by all that the pixels depend on."""
    geometry = preprocessing.geometry(cropped=dataset.cropped)
    altered = () if alteration is None else (alteration.name,)
    parts = json.dumps([dataset.digest, *geometry, PIL.__version__, *altered])
    return cache_folder("resized") / f"{hashlib.sha256(parts.encode()).hexdigest()}.rgb"


def _open(path: Path, shape: tuple[int, ...]) -> Pixels | None:
    """The file, if it is there and whole."""
    try:
        if path.stat().st_size != math.prod(shape):
            return None
        os.utime(path)  # used now
        return np.memmap(path, np.uint8, mode="r", shape=shape)
    except OSError:
        return None


def _write(path: Path, dataset: Dataset, resize: Callable[[Image.Image], np.ndarray]) -> None:
    """Elsewhere first: a file that has its name is whole."""
    with workspace(path.parent) as unfinished:
        # Written, not mapped: a disk that gets full is then an error and not a signal.
        with (unfinished / path.name).open("wb") as file:
            for place in range(len(dataset)):
                file.write(resize(dataset[place]).tobytes())
        (unfinished / path.name).replace(path)


def _make_room(folder: Path, limit: int) -> None:
    """Remove files until the rest is below a limit; whoever has one mapped keeps it."""
    files = sorted((f.stat().st_mtime, f.stat().st_size, f) for f in folder.glob("*.rgb"))
    total = sum(size for _, size, _ in files)
    for _, size, file in files:
        if total <= limit:
            return
        file.unlink(missing_ok=True)
        total -= size
