"""Normal noise on the weights."""

import numpy as np
import torch
from torch import Tensor

from zoo_eval.transforms.transform import Transform
from zoo_eval.transforms.weights import Weights, weight_transform


def noisy(weights: Weights, size: float, seed: int) -> list[Tensor]:
    """Weights plus normal noise of a size, in standard deviations of each tensor."""
    rng = np.random.default_rng(seed)
    return [_noisy(weight, size, rng) for weight in weights]


def _noisy(weight: Tensor, size: float, rng: np.random.Generator) -> Tensor:
    noise = torch.from_numpy(rng.standard_normal(weight.shape, dtype=np.float32))
    deviation = weight.double().std(correction=0)
    return weight + (noise.to(weight.device) * (size * deviation)).to(weight.dtype)


def noise(seed: int) -> Transform:
    """Noise drawn with a seed; at every level the same draw, scaled."""
    return weight_transform(
        lambda weights, size: noisy(weights, size, seed),
        levels=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
        none=0.0,
        control=None,
        logarithmic=True,
    )
