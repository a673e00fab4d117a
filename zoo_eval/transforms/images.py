"""Changes of the images that a network sees."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image
from torch import Tensor, nn

from zoo_eval.quantities import Precision
from zoo_eval.transforms.transform import Transform, Variants, as_large

# From all images, in batches, and a level to the changed ones.
ImageChange = Callable[[Iterable[Tensor], float], Iterable[Tensor]]


@dataclass(frozen=True)
class Alteration:
    """A change of single images as they were decoded.

    Attributes:
        name: All that it depends on: altered images are kept under it.
        change: From an RGB image to another.
    """

    name: str
    change: Callable[[Image.Image], Image.Image]


# From an alteration to all images, altered before they are resized, in batches.
AlteredImages = Callable[[Alteration], Iterable[Tensor]]


@dataclass(frozen=True)
class Batches:
    """Batches that are made anew whenever they are gone through.

    Attributes:
        make: Makes them.
        precision: In which a network is to compute with them.
    """

    make: Callable[[], Iterable[Tensor]]
    precision: Precision

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.make())


def image_transform(
    change: ImageChange, levels: tuple[float, ...], none: float, *, logarithmic: bool = False
) -> Transform:
    """A transform of images; its control adds normal noise, to each image as much as it changes.

    Args:
        change: What is done to the images.
        levels: From the mildest to the strongest.
        none: The level at which nothing changes.
        logarithmic: Whether areas are over the logarithm of the level.
    """

    def at(model: nn.Module, images: Iterable[Tensor], level: float) -> Variants:
        del model  # it stays as it is
        precision: Precision = getattr(images, "precision", "fp32")
        changed = Batches(lambda: change(images, level), precision)
        noisy = Batches(lambda: _noisy(images, changed), precision)
        return Variants(_handed_out(changed), _handed_out(noisy))

    return Transform(at, levels, none, logarithmic)


def _noisy(images: Iterable[Tensor], changed: Iterable[Tensor]) -> Iterator[Tensor]:
    rng = np.random.default_rng(0)
    for before, after in zip(images, changed, strict=True):
        yield as_large(before, after, rng, each=True)


@contextmanager
def _handed_out(images: Iterable[Tensor]) -> Generator[Iterable[Tensor], None, None]:
    yield images
