"""The precision in which a network passes images: float32, or bfloat16 by autocast."""

import torch

from zoo_eval.quantities._quantity import Precision


def in_precision(precision: Precision, device: torch.device) -> torch.autocast:
    """A context in which matrix products and convolutions are made in this precision.

    Weights are rounded once, until the outermost such context ends.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
