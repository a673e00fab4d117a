"""What a job says about its dataset: which images, which classes, how many, which views."""

from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class DatasetSpec:
    """A choice of images, before any file is read.

    Attributes:
        source: A builtin name (`fashion`), a folder with one folder per class, a Parquet
            file, or a folder of WebDataset shards.
        classes: Class names to keep, in any order; None keeps all.
        images_per_class: How many of each class, chosen at random; None keeps all.
        at_most: Whether a class with fewer images gives all that it has; else it is refused.
        seed: Of the choice of images and of the crops.
        crops: Random resized crops per image; 0 takes each image whole.
        crop_scale: Smallest and largest area of a crop, as a share of the image's.
        image_column: Column of encoded images in a Parquet file.
        label_column: Column of class ids or names in a Parquet file.
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
