"""ZiCo: is the gradient of each weight large and steady over batches?"""

import math

import torch
from torch import Tensor, nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradients import Images, Labels, mean_cross_entropy, needed_weights
from zoo_eval.quantities.module_state import differentiable, in_mode, module_mode
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="nats",
    higher_is_better=True,
    weights=INITIAL,
    cost="1 forward, 1 backward",
)
def zico(
    model: nn.Module,
    probe_images: Images,
    probe_labels: Labels,
    *,
    batches: int = 4,
    mode: str = "eval",
) -> float:
    """Inverse coefficient of variation of gradients, Σₗ ln Σₖ μₗₖ / σₗₖ.

    The probe batch is cut, in its order, into parts as equal as can be. gₗₖᵇ is the gradient
    of the mean cross-entropy of part b in weight k of layer l (convolutions and linear
    layers); μ = mean_b |gᵇ|, σ² = mean_b (gᵇ − mean gᵇ)². As in the published program, σ
    is that of the signed gradient, weights with σ = 0 (behind dead units, say) are left out
    of the inner sum, and layers without other weights out of the outer one.

    The published program takes 2 parts. μ/σ is then (|g¹| + |g²|) / |g¹ − g²|, which has no
    finite mean over draws of images, as chance makes a difference arbitrarily small. Its
    variance over draws is finite from 4 parts on, the default. A sum over layers, so it
    grows with their number.

    Args:
        model: The network.
        probe_images: n images, shape (n, channels, height, width).
        probe_labels: Their class ids, shape (n,).
        batches: Number of parts, from 2 to n. Only values with the same number compare.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the statistics of each part.

    Returns:
        Any real number. Unchanged by the order of the images within each part and by the
        scale of the loss.

    Raises:
        InputError: another `mode`, or fewer than two parts.
        ScoreUndefinedError: fewer images than parts; no convolution or linear layer; all
            gradients are the same in all parts; one is NaN or infinite; or, in paper mode, a
            batch norm sees one value per channel.

    References:
        Li et al., "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients",
            ICLR 2023, Eq. (16), https://arxiv.org/abs/2301.11300
    """
    if batches < 2:
        raise InputError(f"zico needs two or more batches, but got batches={batches}.")
    if len(probe_images) < batches:
        raise ScoreUndefinedError(
            f"zico cuts the probe images into {batches} batches, but there are "
            f"{len(probe_images)}. Take more images, or fewer batches."
        )
    named = needed_weights(model)
    weights = [weight for _, weight in named]
    spreads = [_Spread(weight) for weight in weights]
    parts = zip(probe_images.tensor_split(batches), probe_labels.tensor_split(batches), strict=True)
    with in_mode(model, module_mode(mode)), differentiable(weights):
        for images, labels in parts:
            try:
                loss = mean_cross_entropy(model, images, labels)
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                raise ScoreUndefinedError(
                    f"A batch of {len(images)} images cannot pass this network in train mode: "
                    f"{error}. Use fewer batches, or mode='eval'."
                ) from error
            gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
            for spread, gradient in zip(spreads, gradients, strict=True):
                spread.add(gradient)
    layers = [spread.mean_over_deviation() for spread in spreads]
    bad = [name for (name, _), x in zip(named, layers, strict=True) if not math.isfinite(x)]
    if bad:
        raise ScoreUndefinedError(
            f"The gradients of {len(bad)} of {len(named)} weight tensors (first: {bad[0]}) are NaN "
            "or infinite. Does the network overflow with these weights?"
        )
    if not any(layers):
        raise ScoreUndefinedError(
            f"The gradients of all {len(named)} weight tensors are the same in all {batches} "
            "batches, so they have no coefficient of variation."
        )
    return sum(math.log(total) for total in layers if total > 0)


class _Spread:
    """Mean magnitude and standard deviation of a tensor over time, by Welford's recurrence.

    Held in the tensor's own precision, as there are three numbers for every weight. The
    deviation is updated itself, by hypot, not its square, which would underflow in float32.
    """

    def __init__(self, like: Tensor) -> None:
        self._n = 0
        self._magnitude = torch.zeros_like(like, requires_grad=False)
        self._mean = torch.zeros_like(self._magnitude)
        self._deviation = torch.zeros_like(self._magnitude)  # times √n

    def add(self, x: Tensor) -> None:
        """Count one more value."""
        self._n += 1
        self._magnitude += x.abs()
        change = x - self._mean
        self._mean.add_(change, alpha=1 / self._n)
        step = change.abs_().mul_(math.sqrt((self._n - 1) / self._n))
        torch.hypot(self._deviation, step, out=self._deviation)

    def mean_over_deviation(self) -> float:
        """Σ mean|x| / σ(x) over the elements with σ > 0."""
        varies = self._deviation != 0  # NaN counts
        ratios = self._magnitude[varies].double() / self._deviation[varies].double()
        return float(ratios.sum()) / math.sqrt(self._n)
