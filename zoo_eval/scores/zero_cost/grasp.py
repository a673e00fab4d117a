"""GraSP: what removing each weight would do to the gradient flow."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import (
    Images,
    Labels,
    add_to,
    loss_gradients,
    mean_cross_entropy,
    needed_weights,
    streamed,
)
from zoo_eval.quantities.module_state import (
    differentiable,
    in_mode,
    module_mode,
    twice_differentiable,
)
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="nats² per squared weight unit",
    higher_is_better=True,
    weights=INITIAL,
    cost="1 forward, 1 backward, 1 double backward",
)
def grasp(
    model: nn.Module, probe_images: Images, probe_labels: Labels, *, mode: str = "eval"
) -> float:
    """Gradient signal preservation, −Σₖ wₖ (H g)ₖ.

    g = ∂L/∂W, H the Hessian of L, L the mean cross-entropy of the probe batch; k runs over
    the weights of convolutions and linear layers. H g = ∂(g₀·g)/∂W with g₀ = g held fixed.

    Sign and scaling differ between programs. The sign is the zero-cost literature's, the
    opposite of the pruning paper's; the loss has temperature 1 (the pruning program divides
    the logits by 200), one batch serves both derivatives, and the score is not normalised.

    Args:
        model: The network.
        probe_images: A batch of images, shape (n, channels, height, width).
        probe_labels: Their class ids, shape (n,).
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the batch's own statistics.

    Returns:
        Any real number; with a head of zeros, what the head's own second derivative gives.
        Proportional to the square of the loss. Noisy: expect it to change with the batch.

    Raises:
        InputError: another `mode`.
        ScoreUndefinedError: no convolution or linear layer, or an operation that torch
            cannot differentiate twice.

    References:
        Wang et al., "Picking Winning Tickets Before Training by Preserving Gradient Flow",
            ICLR 2020, Eq. (8), https://arxiv.org/abs/2002.07376
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, Section 3.2,
            https://arxiv.org/abs/2101.08134
    """
    names, weights = zip(*needed_weights(model), strict=True)
    parts = list(streamed(probe_images, probe_labels, module_mode(mode)))
    whole: list[Tensor] = []
    if len(parts) > 1:
        whole = [w.gradient for w in loss_gradients(model, probe_images, probe_labels, "eval")]
    hessian_products: list[Tensor] = []
    with in_mode(model, module_mode(mode)), differentiable(weights), twice_differentiable():
        for part, of_part, share in parts:
            loss = mean_cross_entropy(model, part, of_part) * share
            gradients = torch.autograd.grad(
                loss, weights, create_graph=True, materialize_grads=True
            )
            # H is the sum of the parts' Hessians, g the gradient of the whole loss.
            along = whole or [g.detach() for g in gradients]
            products = (a * g for a, g in zip(along, gradients, strict=True))
            product = sum((p.sum() for p in products), start=loss.new_zeros(()))
            if not product.requires_grad:  # the gradient is constant, so H = 0
                return 0.0
            _check_second_derivative(model, product)
            add_to(hessian_products, torch.autograd.grad(product, weights, materialize_grads=True))
    _check_finite(model, names, hessian_products)
    return -sum(
        float((weight.detach() * hg).sum(dtype=torch.float64))
        for weight, hg in zip(weights, hessian_products, strict=True)
    )


def _check_finite(
    model: nn.Module, names: Sequence[str], hessian_products: Sequence[Tensor]
) -> None:
    """Say where a second derivative is NaN, as that of a length at zero is (cosine attention).

    Raises:
        ScoreUndefinedError: one is NaN or infinite.
    """
    bad = [n for n, hg in zip(names, hessian_products, strict=True) if not hg.isfinite().all()]
    if bad:
        raise ScoreUndefinedError(
            f"The second derivatives of {len(bad)} of {len(names)} weights of "
            f"{type(model).__name__} are NaN or infinite, first of {bad[0]}. Does it divide by the "
            "length of a vector that is zero at initialisation?"
        )


def _check_second_derivative(model: nn.Module, product: Tensor) -> None:
    """Refuse a graph with an operation that can be differentiated only once.

    `torch.autograd.grad` does not reach the node that would raise the error, and returns
    zeros for everything behind it.

    Raises:
        ScoreUndefinedError: there is such an operation.
    """
    seen: set[Node] = set()
    waiting: list[Node | None] = [product.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        kind = node.name().rpartition("::")[2]
        if kind in ("Error", "NotImplemented"):
            raise ScoreUndefinedError(
                f"GraSP needs second derivatives, but {type(model).__name__} holds an operation "
                f"that torch can differentiate only once (node {kind!r} in the graph)."
            )
        waiting.extend(following for following, _ in node.next_functions)
