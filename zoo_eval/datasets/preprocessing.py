"""How one model wants its images: size, crop, interpolation, normalisation.

Part of every plan, so nothing here imports torch before an image is resized.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from zoo_eval.errors import ModelError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.timm_config import timm_config
from zoo_eval.models.torchvision_ops import ensure_torchvision

Pixels = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Preprocessing:
    """Resize, crop and normalisation, as timm's configurations state them.

    `crop_mode` is timm's: `center` keeps the image's proportions and cuts off what stands over,
    `squash` makes it square by resizing.
    """

    image_size: int
    crop: float
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop_mode: str = "center"

    def geometry(self, *, cropped: bool) -> tuple[object, ...]:
        """All that the resized pixels depend on, for names of files."""
        border = self.mean if self.crop_mode == "border" else ()  # what timm fills it with
        crop = ("whole",) if cropped else (self.crop, self.crop_mode)
        return self.image_size, self.interpolation, *crop, *border

    def resize(self, *, cropped: bool) -> Callable[[Image.Image], Pixels]:
        """From an RGB image to the pixels that the network sees, before `normalised`.

        Args:
            cropped: The images are crops already: resize them whole, cut nothing off.
        """
        ensure_torchvision()
        from timm.data.transforms_factory import create_transform

        transform: Any = create_transform(
            input_size=(3, self.image_size, self.image_size),
            is_training=False,
            interpolation=self.interpolation,
            mean=self.mean,
            std=self.std,
            crop_pct=1.0 if cropped else self.crop,
            crop_mode="squash" if cropped else self.crop_mode,
            normalize=False,
        )
        *steps, _ = transform.transforms  # the last one makes a tensor

        def resize(image: Image.Image) -> Pixels:
            for step in steps:
                image = step(image)
            return np.asarray(image)

        return resize


def preprocessing_of(line: ModelLine) -> Preprocessing:
    """What the manifest says, and where it is silent, what timm's configuration says.

    Manifests have no column for the crop mode: it is timm's, and `center` for weights that timm
    does not know.

    Raises:
        ModelError: neither says it.
    """
    config = timm_config(line.timm_name)
    crop, interpolation, mean, std = line.crop, line.interpolation, line.mean, line.std
    if crop is None or interpolation is None or mean is None or std is None:
        if config is None:
            raise ModelError(
                f"{line.model}: the manifest leaves crop, interpolation, mean or std empty, and "
                "timm has no configuration of that name to take them from. Fill them in."
            )
        crop = config.crop_pct if crop is None else crop
        interpolation = config.interpolation if interpolation is None else interpolation
        mean = config.mean if mean is None else mean
        std = config.std if std is None else std
    crop_mode = "center" if config is None else config.crop_mode
    return Preprocessing(line.image_size, crop, interpolation, mean, std, crop_mode)
