"""Global magnitude pruning: the smallest weights of the whole network become zero."""

import numpy as np
import torch
from torch import Tensor

from zoo_eval.transforms.weights import Weights, weight_transform


def pruned(weights: Weights, share: float) -> list[Tensor]:
    """Weights of which a share is zero: those of least magnitude, whatever their layer.

    As in the published program, the weights that survive are larger than the one at place
    ⌊share · n⌋ of the sorted magnitudes, so that one more than the share falls, and all that are
    as large as it. With share 0 nothing falls.
    """
    if share == 0:
        return [weight.clone() for weight in weights]
    magnitudes = torch.cat([weight.abs().flatten() for weight in weights])
    place = int(len(magnitudes) * share)
    threshold = magnitudes.kthvalue(min(place + 1, len(magnitudes))).values
    return [torch.where(weight.abs() > threshold, weight, 0) for weight in weights]


def pruned_at_random(before: Weights, after: Weights, rng: np.random.Generator) -> list[Tensor]:
    """As many weights of each tensor become zero, but any of them."""
    return [_at_random(b, a == 0, rng) for b, a in zip(before, after, strict=True)]


def _at_random(weight: Tensor, fallen: Tensor, rng: np.random.Generator) -> Tensor:
    order = torch.from_numpy(rng.permutation(fallen.numel())).to(fallen.device)
    return weight.masked_fill(fallen.flatten()[order].view_as(fallen), 0)


PRUNING = weight_transform(
    pruned, levels=(0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9), none=0.0, control=pruned_at_random
)
