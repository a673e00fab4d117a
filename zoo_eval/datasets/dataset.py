"""A dataset: a fixed choice of labelled images, known by its digest."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from zoo_eval.cache import cache_folder
from zoo_eval.datasets.decoding import DecodedImages, decode, read_all
from zoo_eval.datasets.sources import list_source
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.datasets.subset import choose
from zoo_eval.errors import DatasetError

Box = tuple[int, int, int, int]  # left, upper, right, lower


@dataclass(frozen=True)
class Dataset:
    """Labelled images, decoded once. Small to send to a worker: the pixels stay on disk.

    Attributes:
        name: Short name for tables.
        digest: SHA-256 over the chosen images, their labels and order, and their views.
        classes: Class names; `labels` are places in it. None if the images have no labels.
        labels: Class id of each view; 0 if the images have no labels.
        decoded: Digest that the decoded images are kept under.
        views: Image and crop box of each view; no box means the whole image.
        recipe: How the subset was chosen, as JSON.
        skipped: Images that could not be read or have no label, with the reason.
    """

    name: str
    digest: str
    classes: tuple[str, ...]
    labels: tuple[int, ...]
    decoded: str
    views: tuple[tuple[int, Box | None], ...]
    recipe: str
    skipped: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        """How tables write this dataset: name and the start of its digest."""
        return f"{self.name}@{self.digest[:8]}"

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, place: int) -> Image.Image:
        image, box = self.views[place]
        whole = self._images[image]
        return whole.crop(box) if box else whole

    @property
    def labelled(self) -> bool:
        """Whether the images have labels."""
        return bool(self.classes)

    @property
    def cropped(self) -> bool:
        """Whether the views are crops already, so that no further crop is wanted."""
        return any(box for _, box in self.views)

    def __getstate__(self) -> dict[str, object]:
        # Without the mapped pixels: another machine has them elsewhere.
        return {key: value for key, value in vars(self).items() if key != "_images"}

    @cached_property
    def _images(self) -> DecodedImages:
        return DecodedImages(cache_folder("decoded") / self.decoded)

    def pixels(self, size: int) -> np.ndarray:
        """All views at one small size, as rows of RGB values in [0, 1]."""
        rows = [
            np.asarray(self[place].resize((size, size), Image.Resampling.BICUBIC)).ravel()
            for place in range(len(self))
        ]
        return np.stack(rows).astype(np.float32) / 255


def load_dataset(spec: DatasetSpec, *, strict: bool = False) -> Dataset:
    """Choose and decode the images of a dataset.

    Args:
        spec: Which images.
        strict: Whether an unreadable image is an error instead of being skipped and counted.

    Raises:
        DatasetError: see `list_source`, `choose` and `decode`; or no image of a class is readable.
    """
    listing = list_source(spec)
    if strict and listing.unusable:
        name, reason = listing.unusable[0]
        raise DatasetError(
            f"{len(listing.unusable)} rows of {spec.source} cannot be used, for example {name}: "
            f"{reason}."
        )
    records, classes = choose(listing, spec)
    contents, decoded = read_all(records)
    images = decode(records, contents, decoded, strict=strict)
    views: list[tuple[int, Box | None]] = []
    labels: list[int] = []
    id_of = {name: place for place, name in enumerate(classes or ("",))}
    for place, record in enumerate(images.kept):
        boxes = _crop_boxes(images[place], spec, record) if spec.crops else [None]
        views += [(place, box) for box in boxes]
        labels += [id_of[records[record].label]] * len(boxes)
    empty = sorted(set(range(len(classes))) - set(labels))
    if empty:
        raise DatasetError(
            f"Class {classes[empty[0]]!r} of {spec.source} has no image left: of {len(records)} "
            f"images, {len(images.skipped)} cannot be read."
        )
    unreadable = [(records[place].name, reason) for place, reason in images.skipped]
    recipe = {
        "source": spec.name,
        "classes": "all" if spec.classes is None else list(classes),
        "images_per_class": spec.images_per_class,
        "seed": spec.seed,
        "crops": spec.crops,
        "crop_scale": spec.crop_scale if spec.crops else None,
        "skipped": len(listing.unusable) + len(unreadable),
    }
    digest = hashlib.sha256(decoded.encode() + json.dumps([views, classes]).encode()).hexdigest()
    return Dataset(
        name=spec.name,
        digest=digest,
        classes=classes,
        labels=tuple(labels),
        decoded=decoded,
        views=tuple(views),
        recipe=json.dumps(recipe),
        skipped=(*listing.unusable, *unreadable),
    )


def _crop_boxes(image: Image.Image, spec: DatasetSpec, place: int) -> list[Box | None]:
    """Random resized crops: area share uniform in `crop_scale`, aspect ratio 3:4 to 4:3.

    As torchvision's RandomResizedCrop: a crop that does not fit is drawn again, ten times at
    most; then the largest centred crop of an allowed aspect ratio is taken. Shares above 1
    never fit a whole image, so they often end there.
    """
    generator = np.random.default_rng([spec.seed, place, 1])
    return [
        _crop_box(image.width, image.height, spec.crop_scale, generator) for _ in range(spec.crops)
    ]


def _crop_box(
    width: int, height: int, scale: tuple[float, float], generator: np.random.Generator
) -> Box:
    narrow, wide = 3 / 4, 4 / 3
    for _ in range(10):
        area = width * height * generator.uniform(*scale)
        ratio = float(np.exp(generator.uniform(np.log(narrow), np.log(wide))))
        w, h = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if 0 < w <= width and 0 < h <= height:
            left = int(generator.integers(0, width - w + 1))
            upper = int(generator.integers(0, height - h + 1))
            return left, upper, left + w, upper + h
    ratio = min(max(width / height, narrow), wide)
    w, h = (
        (width, round(width / ratio)) if width / height < ratio else (round(height * ratio), height)
    )
    w, h = min(w, width), min(h, height)
    return (width - w) // 2, (height - h) // 2, (width - w) // 2 + w, (height - h) // 2 + h
