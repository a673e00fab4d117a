"""A folder of JPEGs as large as ImageNet's, which no two sessions find different."""

from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT, N_CLASSES = 500, 375, 10


def write_photographs(folder: Path, n: int) -> Path:
    """Write n JPEGs in ten classes: noise at several scales, quality 90."""
    rng = np.random.default_rng(0)
    for place in range(n):
        image = np.zeros((HEIGHT, WIDTH, 3))
        for cell in (4, 16, 64):
            coarse = rng.normal(128, 60, size=(HEIGHT // cell + 1, WIDTH // cell + 1, 3))
            small = Image.fromarray(coarse.clip(0, 255).astype(np.uint8))
            image += np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)) / 3
        path = folder / f"class{place % N_CLASSES}" / f"{place:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return folder
