"""Pictures that look like nothing, but differ from one another as photographs do."""

import numpy as np
from PIL import Image


def scene(seed: int, width: int = 120, height: int = 90) -> Image.Image:
    """A few soft spots of colour, the same at every size."""
    spots = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return Image.fromarray(spots).resize((width, height), Image.Resampling.BICUBIC)
