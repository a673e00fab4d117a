"""What is looked at of one image."""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from zoo_eval.datasets.listing import Record
from zoo_eval.datasets.rgb import rgb
from zoo_eval.errors import DatasetError

SIDE = 32  # of a thumbnail: small enough for 50,000 in memory, large enough to tell images apart
Thumbnail = UInt8[np.ndarray, "32 32"]


@dataclass(frozen=True)
class Seen:
    """One image.

    Attributes:
        digest: SHA-256 of its file.
        size: Width and height, upright.
        format: Of its file, as PIL calls it.
        mode: Of its pixels in the file, as PIL calls it.
        thumbnail: In grey.
    """

    digest: bytes
    size: tuple[int, int]
    format: str
    mode: str
    thumbnail: Thumbnail


def see(record: Record) -> Seen | str:
    """An image, or why it cannot be read. To be called inside `undisturbed`."""
    try:
        content = record.read()
        found = rgb(content)
    except OSError as error:
        return f"it cannot be opened: {error.strerror or error}"
    except DatasetError as error:
        return str(error)
    image = found.image
    # `reducing_gap` skips pixels that would be averaged away: a photograph takes half the time.
    small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return Seen(
        digest=hashlib.sha256(content).digest(),
        size=image.size,
        format=found.format,
        mode=found.mode,
        thumbnail=np.asarray(small, dtype=np.uint8),
    )
