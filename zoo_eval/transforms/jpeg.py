"""JPEG: images as they come back from lossy compression."""

from collections.abc import Iterable
from functools import partial
from io import BytesIO

from PIL import Image
from torch import Tensor

from zoo_eval.transforms.images import Alteration, AlteredImages, image_transform
from zoo_eval.transforms.transform import Transform

# The last five are the severities 1 to 5 of ImageNet-C.
QUALITIES = (95.0, 75.0, 50.0, 25.0, 18.0, 15.0, 10.0, 7.0)
NONE = 101.0  # there is no such quality: even 100 loses something


def reencoded(image: Image.Image, quality: int) -> Image.Image:
    """An RGB image, through JPEG of a quality and back."""
    with BytesIO() as file:
        image.save(file, "JPEG", quality=quality)
        with Image.open(file) as decoded:
            return decoded.convert("RGB")


def jpeg(altered_images: AlteredImages) -> Transform:
    """JPEG of the images as they are in the dataset, before they are resized and cropped."""

    def at(images: Iterable[Tensor], level: float) -> Iterable[Tensor]:
        del images
        quality = int(level)
        return altered_images(Alteration(f"jpeg {quality}", partial(reencoded, quality=quality)))

    return image_transform(at, QUALITIES, NONE, logarithmic=True)
