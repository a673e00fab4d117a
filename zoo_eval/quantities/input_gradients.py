"""How the network's output depends on the pixels of each probe image."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.gradients import Images, at_once, logits_of
from zoo_eval.quantities.module_state import Mode, differentiable, in_mode


@dataclass(frozen=True)
class InputGradients:
    """Gradient of the sum of each image's logits with respect to its pixels.

    Attributes:
        rows: One row per image, in the network's precision.
        n_outputs: Number of logits.
    """

    rows: Float[Tensor, "n pixels"]
    n_outputs: int


@quantity
def input_gradients(model: nn.Module, probe_images: Images) -> InputGradients:
    """Input gradients of the probe batch in eval mode, where no image sees another."""
    return summed_logit_gradients(model, probe_images, "eval")


def summed_logit_gradients(model: nn.Module, images: Images, mode: Mode) -> InputGradients:
    """Gradient of the sum of all logits of a batch with respect to its pixels.

    In train mode batch norm makes the logits of one image depend on the others; each row then
    also holds what the image does to those.

    Raises:
        ScoreUndefinedError: a gradient is NaN or infinite.
    """
    found: list[Tensor] = []
    n_outputs = 0
    with in_mode(model, mode):
        for part in images.split(at_once(images, mode)):
            # A copy, as it is to be differentiable; channels last, where convolutions are faster.
            pixels = part.detach().clone(memory_format=torch.channels_last)
            with differentiable([pixels]):
                logits = logits_of(model, pixels)
                n_outputs = logits.shape[1]
                if logits.requires_grad:
                    gradients = torch.autograd.grad(logits.sum(), pixels, materialize_grads=True)
                else:  # the output is a constant
                    gradients = (torch.zeros_like(pixels),)
            found.append(gradients[0].flatten(1))
    rows = torch.cat(found)
    if not rows.isfinite().all():
        raise ScoreUndefinedError(
            f"The gradients of {int((~rows.isfinite()).any(dim=1).sum())} of {len(images)} "
            "images are NaN or infinite. Does the network overflow with these weights?"
        )
    return InputGradients(rows, n_outputs)
