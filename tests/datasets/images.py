"""Tiny labelled images, each of one colour that tells which it is."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
from PIL import Image

from zoo_eval.datasets import Dataset


def encode(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(colour: int, size: tuple[int, int] = (8, 6)) -> bytes:
    return encode(Image.new("RGB", size, (colour, 255 - colour, 7)))


def noise(seed: int, width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def write_folder(folder: Path, contents: dict[str, dict[str, bytes]]) -> Path:
    """class → file name → encoded image."""
    for name, files in contents.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / name / file).write_bytes(content)
    return folder


def write_classes(folder: Path, classes: dict[str, list[int]]) -> Path:
    """class → colours of its images."""
    return write_folder(
        folder,
        {name: {f"{c:03}.png": png(c) for c in colours} for name, colours in classes.items()},
    )


def write_parquet(path: Path, images: list, labels: list, **names: str) -> Path:
    columns = {names.get("image", "image"): images, names.get("label", "label"): labels}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def write_shard(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as shard:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            shard.addfile(info, io.BytesIO(content))
    return path


def colours(dataset: Dataset) -> list[int]:
    return [dataset[place].getpixel((0, 0))[0] for place in range(len(dataset))]
