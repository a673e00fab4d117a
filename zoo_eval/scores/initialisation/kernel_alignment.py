"""How much of the initial network's tangent kernel is left."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.tangent_kernel import tangent_kernel
from zoo_eval.scores._score import score


@score(
    unit="cosine",
    higher_is_better=None,
    bounds=(0.0, 1.0),
    cost="2 n forward and backward of one image",
)
def kernel_alignment(
    model: nn.Module, initial_model: nn.Module, probe_images: Images, *, seed: int = 0
) -> float:
    """Cosine between the neural tangent kernels now and at the start.

    ⟨K, K₀⟩ / (‖K‖ ‖K₀‖) with Kᵢⱼ = ⟨∇f(xᵢ), ∇f(xⱼ)⟩ over all parameters with "weight" in their
    name. f is a random half of the logits less the other half, the same for both networks: the mean
    of such kernels is that of the paper, which has all outputs, up to what all logits have in
    common, of which softmax sees nothing. Near 1 where a network learned lazily.

    The start is what timm's initialisation gives with the manifest's `seed`: the true one, where
    the network was trained from there, as in the fashion zoo. Without a seed it is a fresh draw,
    and not what the network came from.
    Batch norm is in eval mode; that of the initial network has the statistics of the probe images.

    Of the paper, the measure is kept. There, derivatives are with respect to recurrent weights, and
    of all outputs.

    Args:
        model: The network.
        initial_model: The same before training.
        probe_images: n images, shape (n, channels, height, width).
        seed: Of the halves.

    Returns:
        From 0 to 1 (the kernels are the same up to scale). Unchanged by the order of the images and
        by the scale of either network's logits.

    Raises:
        ScoreUndefinedError: a kernel is zero or not finite; or no parameter is called a weight.

    References:
        Liu et al., "How Connectivity Structure Shapes Rich and Lazy Learning in Neural
            Circuits", ICLR 2024, https://arxiv.org/abs/2310.08513
    """
    halves = _half_less_half(seed)
    kernels = [tangent_kernel(network, probe_images, halves) for network in (model, initial_model)]
    norms = [float(np.linalg.norm(kernel)) for kernel in kernels]
    if not all(0 < norm < np.inf for norm in norms):
        raise ScoreUndefinedError(
            f"A cosine between tangent kernels needs two that are neither zero nor infinite, but "
            f"their norms are {norms[0]:.3g}, and {norms[1]:.3g} at the start."
        )
    now, before = (kernel / norm for kernel, norm in zip(kernels, norms, strict=True))
    return min(float(np.sum(now * before)), 1.0)


def _half_less_half(seed: int) -> Callable[[Tensor], Tensor]:
    """From logits to the sum of a random half less that of the other; of one logit, itself."""

    def response(logits: Tensor) -> Tensor:
        n = logits.shape[1]
        signs = np.resize([1.0, -1.0], n)
        if n % 2 and n > 1:
            signs[-1] = 0.0
        order = np.random.default_rng(seed).permutation(n)
        return logits @ torch.from_numpy(signs[order]).to(logits)

    return response
