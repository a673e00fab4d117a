"""GraSP: what removing each weight would do to the gradient flow."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.graph import Node

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import (
    Images,
    Labels,
    add_to,
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
from zoo_eval.scores.zero_cost._weight_terms import WeightTerms


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
    the weights of convolutions and linear layers. H is symmetric, so −Σₖ gₖ (H w)ₖ is
    the same, with H w = ∂(w·g)/∂W − g. Of w·g no gradient of a weight has to be differentiated:
    it is Σₗ zₗ·∂L/∂zₗ over what each weight adds to its layer's output, zₗ = Xₗ ∗ Wₗ.

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
    how = module_mode(mode)
    names, weights = zip(*needed_weights(model), strict=True)
    gradients: list[Tensor] = []
    derivatives: list[Tensor] = []  # of w·g
    with in_mode(model, how), differentiable(weights), twice_differentiable():
        for part, of_part, share in streamed(probe_images, probe_labels, how):
            terms = WeightTerms(weights)
            with terms:
                loss = mean_cross_entropy(model, part, of_part) * share
            product, of_loss = _weights_times_gradients(loss, terms, weights)
            if not product.requires_grad:  # no weight changes the loss
                return 0.0
            _check_second_derivative(model, product)
            of_product = torch.autograd.grad(product, [*terms.copies, *weights], allow_unused=True)
            add_to(gradients, _by_weight(of_loss, weights))
            add_to(derivatives, _by_weight(of_product, weights))
    _check_finite(model, names, derivatives)
    return sum(
        float((gradient * (gradient - derivative)).sum(dtype=torch.float64))
        for gradient, derivative in zip(gradients, derivatives, strict=True)
    )


def _weights_times_gradients(
    loss: Tensor, terms: WeightTerms, weights: Sequence[Tensor]
) -> tuple[Float[Tensor, ""], list[Tensor | None]]:
    """Σ w·∂L/∂w, as Σ z·∂L/∂z where w was seen to add z; and ∂L/∂w of copies and of weights."""
    inputs = [*terms.copies, *weights, *terms.terms]
    found = torch.autograd.grad(loss, inputs, create_graph=True, allow_unused=True)
    # A copy is left out, as its terms stand for it.
    pairs = list(zip(inputs, found, strict=True))[len(weights) :]
    products = ((x * gradient).sum() for x, gradient in pairs if torch.is_tensor(gradient))
    product = sum(products, start=loss.new_zeros(()))
    return product, [g.detach() if torch.is_tensor(g) else None for g in found[: 2 * len(weights)]]


def _by_weight(found: Sequence[Tensor | None], weights: Sequence[Tensor]) -> list[Tensor]:
    """Gradients of the copies of weights and of the weights themselves, added; zeros for none."""
    n = len(weights)
    gradients: list[Tensor] = []
    for weight, of_copy, of_weight in zip(weights, found[:n], found[n:], strict=True):
        ways = [gradient for gradient in (of_copy, of_weight) if torch.is_tensor(gradient)]
        gradients.append(sum(ways[1:], start=ways[0]) if ways else torch.zeros_like(weight))
    return gradients


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
