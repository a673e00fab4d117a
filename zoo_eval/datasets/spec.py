"""What a job says about its dataset: which images, which classes, how many, which views."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# The 20 classes of Imagenette and Imagewoof, as WordNet ids:
# https://github.com/fastai/imagenette
IMAGENETTE = (
    "n01440764",
    "n02102040",
    "n02979186",
    "n03000684",
    "n03028079",
    "n03394916",
    "n03417042",
    "n03425413",
    "n03445777",
    "n03888257",
)
IMAGEWOOF = (
    "n02086240",
    "n02087394",
    "n02088364",
    "n02089973",
    "n02093754",
    "n02096294",
    "n02099601",
    "n02105641",
    "n02111889",
    "n02115641",
)

ClassFolder = Literal["last", "first", "none"]


@dataclass(frozen=True)
class DatasetSpec:
    """A choice of images, before any file is read.

    Attributes:
        source: A builtin name (`fashion`), a folder with one folder per class, a CSV or Parquet
            file, a folder of WebDataset shards, or a folder of images without labels.
        classes: Class names to keep, in any order; None keeps all.
        images_per_class: How many of each class, chosen at random; None keeps all. Without
            labels, how many of all.
        at_most: Whether a class with fewer images gives all that it has; else it is refused.
        seed: Of the choice of images and of the crops.
        crops: Random resized crops per image; 0 takes each image whole.
        crop_scale: Smallest and largest area of a crop, as a share of the image's.
        image_column: Column of paths, or in a Parquet file also of encoded images.
        label_column: Column of class ids or names in a CSV or Parquet file.
        leave_out: Names of images to pass over, as messages write them.
        class_folder: In nested folders, whether the `last` folder above an image is its class,
            so that train/cat and test/cat are one class, or the `first`, so that cat/left and
            cat/right are; `none` takes no folder for a class.
        allow_outside: Whether the paths of a table may lead out of its folder.
    """

    source: str
    classes: tuple[str, ...] | None = None
    images_per_class: int | None = None
    at_most: bool = False
    seed: int = 0
    crops: int = 0
    crop_scale: tuple[float, float] = (0.6, 1.6)
    image_column: str = "image"
    label_column: str = "label"
    leave_out: frozenset[str] = frozenset()
    class_folder: ClassFolder = "last"
    allow_outside: bool = False

    @property
    def name(self) -> str:
        """Short name for tables: the builtin name, or the last part of the path."""
        return Path(self.source).resolve().stem  # resolved, because "." has no last part


# Liao et al., "Assessing Neural Network Representations During Training Using Noise-Resilient
# Diffusion Spectral Entropy", 2024, and the authors' script metric_vs_acc.py: 50 validation
# images of each class, three random resized crops of each, so n = 3,000.
SUBSETS: dict[str, dict[str, object]] = {
    "imagenette-imagewoof-crops": {
        "classes": IMAGENETTE + IMAGEWOOF,
        "images_per_class": 50,
        "crops": 3,
        "crop_scale": (0.6, 1.6),
    },
}
