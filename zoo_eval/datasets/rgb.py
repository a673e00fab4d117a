"""Decodes one image to what networks are shown: upright, red, green and blue of eight bits."""

import io
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zoo_eval.errors import DatasetError

# Not all that PIL knows: to read EPS, for one, it runs a program on what the file says.
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")


class Rgb(NamedTuple):
    """An image, and what its file said that the pixels do not show any more."""

    image: Image.Image
    format: str  # PIL's name, such as JPEG
    mode: str  # PIL's name, such as CMYK


def rgb(content: bytes) -> Rgb:
    """Decode an image. To be called inside `undisturbed`.

    Raises:
        DatasetError: the bytes are no image, or a damaged one; the message is the reason alone.
    """
    try:
        return _rgb(content)
    except UnidentifiedImageError:  # its own message is an address in memory
        raise DatasetError(f"{len(content)} bytes that are no image") from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise DatasetError(str(error).partition("\n")[0] or type(error).__name__) from error


@contextmanager
def undisturbed() -> Generator[None]:
    """Without PIL's warnings of large images and of odd EXIF data.

    Not a part of `rgb`, because which warnings are shown is one setting for all threads.
    """
    with warnings.catch_warnings(action="ignore"):
        yield


def extensions() -> frozenset[str]:
    """Endings of file names that promise an image, in lower case, such as `.png`."""
    formats = _formats()
    endings = Image.registered_extensions()
    return frozenset(ending for ending, each in endings.items() if each in formats)


def rgb_of(image: Image.Image) -> Image.Image:
    """An opened image as networks are shown it. To be called inside `undisturbed`.

    Raises:
        ValueError: it is not said which of its numbers is white.
    """
    upright = ImageOps.exif_transpose(image)
    if upright.mode == "F":
        raise ValueError("its pixels are real numbers, and which one is white is not said")
    if upright.mode.startswith("I"):  # 16-bit grey: PIL's own conversion would clip it
        grey = np.asarray(upright, dtype=np.float64)
        if grey.min() < 0 or grey.max() > 65535:
            raise ValueError("its pixels have 32 bits, and which number is white is not said")
        upright = Image.fromarray(np.round(grey / 257).astype(np.uint8))
    if upright.mode == "P" and "transparency" in upright.info:
        upright = upright.convert("RGBA")  # without this step, PIL warns
    return upright.convert("RGB")


def _rgb(content: bytes) -> Rgb:
    """Of several frames the first."""
    with Image.open(io.BytesIO(content), formats=_formats()) as image:
        image.load()
        return Rgb(rgb_of(image), image.format or "", image.mode)


@cache
def _formats() -> list[str]:
    """Those that this PIL was built with."""
    Image.init()
    return [each for each in _FORMATS if each in Image.OPEN]
