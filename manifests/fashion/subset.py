"""Writes the builtin dataset `fashion`: 200 test images of each Fashion-MNIST class.

Usage: python manifests/fashion/subset.py [FOLDER of Fashion-MNIST's four .gz files]

The images are the test set's own, unchanged, as PNG in one Parquet file: class by class, each
class drawn with a fixed seed. The networks of this zoo never saw them in training.
"""

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
from PIL import Image

PER_CLASS = 200
SEED = 0
TARGET = Path(__file__).parents[2] / "zoo_eval" / "datasets" / "fashion.parquet"


def main(source: Path) -> None:
    """Choose the images and write the file."""
    with gzip.open(source / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(source / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    generator = np.random.default_rng(SEED)
    chosen = [
        place
        for label in range(10)
        for place in sorted(generator.choice(np.flatnonzero(labels == label), PER_CLASS, False))
    ]
    table = pyarrow.table(
        {
            "image": [png(images[place]) for place in chosen],
            "label": pyarrow.array(labels[chosen], pyarrow.uint8()),
            "test_index": pyarrow.array(chosen, pyarrow.int32()),
        },
        metadata={"licence": "MIT, (c) 2017 Zalando SE", "source": "Fashion-MNIST, test images"},
    )
    pyarrow.parquet.write_table(table, TARGET, compression="zstd")
    print(f"{len(chosen)} images, {TARGET.stat().st_size:,} bytes, in {TARGET.name}")


def png(image: np.ndarray) -> bytes:
    """The image as an optimised PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist"))
