"""Gives batch norm the statistics of some images."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]


def calibrate_batch_norm(model: nn.Module, images: Tensor) -> None:
    """Replace batch norm's initial statistics (mean 0, variance 1) by those of a batch.

    With the initial statistics, batch norm in eval mode does nothing, and the activations of a
    deep random network explode. Networks without batch norm are left as they are.

    Args:
        model: The network; it is left in eval mode.
        images: The batch.
    """
    model.eval()
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # plain average, so that one batch sets the statistics exactly
        norm.train()
    try:
        with torch.no_grad():
            model(images)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.eval()
