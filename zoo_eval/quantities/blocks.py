"""What the blocks of a network do to the probe images: entropies of outputs, gains of gradients.

A *block* is a module that the network applies one after another, as the residual blocks of a
ResNet or the layers of a ViT: a module with two or more convolutions or linear layers, that is an
item of a `Sequential`, of a `ModuleList` or of a module whose class is called a stage, and that
holds no such module itself. On the smallest network of each of timm's 84 families this finds 4
to 39 blocks; VGG, DLA, Inception v3, NASNet, PNASNet and ConvMixer have none of that form.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.gradients import Images, logits_of
from zoo_eval.quantities.module_state import (
    CONVOLUTIONS,
    LINEAR_MAPS,
    differentiable,
    in_mode,
    plain_attention,
)

# Columns of a product from which its largest singular value is found without the others: 0.05 in
# place of 2.2 s at 4,096 × 2,048; at 512 × 512 both take 0.15 s.
_LANCZOS_FROM = 768


@dataclass(frozen=True)
class BlockStatistics:
    """One entry per call of a block, in the order of the forward pass.

    Attributes:
        entropies: −Σ p ln p of the normalised eigenvalues p of the covariance of the output's
            channels over images and positions, in nats.
        gains: Largest singular value of AᵀB / m, where B are random signs at the block's output,
            A their product with the block's Jacobian at its input, and m the number of
            images and positions. A block whose input and output grids do not divide has none.
    """

    entropies: tuple[float, ...]
    gains: tuple[float, ...]


@quantity
def block_statistics(model: nn.Module, probe_images: Images) -> BlockStatistics:
    """Pass the probe images through once and each block's gradient back once, in eval mode.

    Raises:
        ScoreUndefinedError: the network has no blocks of the form above, or their outputs are
            not finite.
    """
    passed = _passes(model, probe_images)
    if not passed:
        raise ScoreUndefinedError(
            f"{type(model).__name__} has no block: no item of a Sequential, ModuleList or stage "
            "holds two or more convolutions or linear layers of its own."
        )
    entropies, gains = zip(*passed, strict=True)
    return BlockStatistics(entropies, tuple(gain for gain in gains if gain is not None))


def _passes(model: nn.Module, probe_images: Images) -> list[tuple[float, float | None]]:
    """(entropy, gain) of each call of a block."""
    calls: list[_Call] = []
    images = probe_images.detach().clone()
    with in_mode(model, "eval"), differentiable([images]), plain_attention():
        handles = [handle for block in blocks(model) for handle in _watch(block, calls)]
        try:
            logits_of(model, images)
        finally:
            for handle in handles:
                handle.remove()
        return [(_entropy(call), _gain(call)) for call in calls]


@dataclass(frozen=True)
class _Call:
    """A block's input and output, part of the graph of gradients, with channels as axis 1."""

    inputs: Tensor
    outputs: Tensor
    channels_last: bool


def _watch(block: nn.Module, calls: list[_Call]) -> tuple[RemovableHandle, RemovableHandle]:
    """Note each call of a block; clones keep what is noted safe from operations in place."""
    entered: list[object] = []

    def before(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        entered.append(inputs[0])
        first: object = inputs[0]
        return (first.clone(), *inputs[1:]) if isinstance(first, Tensor) else inputs

    def after(block: nn.Module, _: tuple[Any, ...], outputs: Any) -> Any:  # noqa: ANN401
        first = entered.pop()
        if not (isinstance(first, Tensor) and isinstance(outputs, Tensor)):
            return outputs
        if first.ndim == outputs.ndim and first.ndim in (3, 4) and first.requires_grad:
            calls.append(_Call(first, outputs, _channels_last(block, first)))
        return outputs.clone()

    return block.register_forward_pre_hook(before), block.register_forward_hook(after)


def _channels_last(block: nn.Module, inputs: Tensor) -> bool:
    """Whether channels are the last axis: tokens, or maps whose axis 1 no convolution expects."""
    n_channels = {part.in_channels for part in block.modules() if isinstance(part, CONVOLUTIONS)}
    return inputs.shape[1] not in n_channels


def _rows(values: Tensor, channels_last: bool) -> Float[Tensor, "m channels"]:
    """One row per image and position."""
    values = values if channels_last else values.movedim(1, -1)
    return values.reshape(-1, values.shape[-1]).double()


def _entropy(call: _Call) -> float:
    rows = _rows(call.outputs.detach(), call.channels_last)
    if not rows.isfinite().all():
        raise ScoreUndefinedError(
            f"The outputs of a block, of shape {tuple(call.outputs.shape)}, are NaN or infinite. "
            "Does the network overflow with these weights?"
        )
    rows = rows - rows.mean(dim=0)
    rows /= rows.abs().max().clamp(min=1e-300)  # no scale, so that no square overflows
    # Rows and columns have the same eigenvalues beside zeros; the smaller product is cheaper.
    product = rows.T @ rows if rows.shape[1] <= rows.shape[0] else rows @ rows.T
    eigenvalues = torch.linalg.eigvalsh(product).clamp(min=0)
    total = eigenvalues.sum()
    return float(torch.special.entr(eigenvalues / total).sum()) if total > 0 else 0.0


def _gain(call: _Call) -> float | None:
    signs = torch.randint(0, 2, call.outputs.shape).to(call.outputs) * 2 - 1
    (pulled,) = torch.autograd.grad(
        call.outputs, [call.inputs], signs, retain_graph=True, materialize_grads=True
    )
    after = signs if call.channels_last else signs.movedim(1, -1)
    before = pulled if call.channels_last else pulled.movedim(1, -1)
    before = _fold(before, after.shape[1:-1])
    if before is None:
        return None
    after = after.reshape(-1, after.shape[-1]).double()
    before = before.reshape(len(after), -1).double()
    if not (before.isfinite().all() and after.isfinite().all()):
        raise ScoreUndefinedError(
            f"The gradients of a block, of shape {tuple(call.inputs.shape)}, are NaN or infinite. "
            "Does the network overflow with these weights?"
        )
    scale = float(before.abs().max().clamp(min=1e-300))
    return largest_singular_value(before / scale, after) * scale / len(after)


def largest_singular_value(left: Float[Tensor, "m p"], right: Float[Tensor, "m q"]) -> float:
    """‖LᵀR‖₂ of float64 matrices.

    Of a large product by Lanczos iteration on x ↦ RᵀLLᵀRx, to machine precision, without making
    the product: some hundred products with vectors in place of all its singular values.
    """
    if right.shape[1] > left.shape[1]:
        left, right = right, left
    if right.shape[1] < _LANCZOS_FROM:
        product = left.T @ right
        return float(torch.linalg.eigvalsh(product.T @ product)[-1].clamp(min=0).sqrt())
    rows, columns = left.cpu().numpy(), right.cpu().numpy()
    n = columns.shape[1]

    def apply(x: np.ndarray) -> np.ndarray:
        return columns.T @ (rows @ (rows.T @ (columns @ x)))

    operator: Any = LinearOperator  # whose stub does not know its own arguments
    square = operator((n, n), matvec=apply, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)
    if not np.any(apply(start)):
        return 0.0
    found: Any = eigsh(square, k=1, which="LA", v0=start, tol=0, return_eigenvectors=False)
    return float(np.sqrt(max(found[0], 0.0)))


def _fold(values: Tensor, grid: torch.Size) -> Tensor | None:
    """Bring a finer grid to a coarser one: the positions that fall together become channels."""
    for axis, size in enumerate(grid, start=1):
        if values.shape[axis] % size:
            return None
        values = values.unflatten(axis, (size, -1)).movedim(axis + 1, -1).flatten(-2)
    return values


def blocks(model: nn.Module) -> list[nn.Module]:
    """The blocks of a network, see the module's docstring."""
    chain = isinstance(model, (nn.Sequential, nn.ModuleList))
    chain = chain or "stage" in type(model).__name__.lower()
    found: list[nn.Module] = []
    for child in model.children():
        inner = blocks(child)
        is_container = isinstance(child, (nn.Sequential, nn.ModuleList))
        if not inner and chain and not is_container and _n_linear_maps(child) >= 2:
            inner = [child]
        found += inner
    return found


def _n_linear_maps(module: nn.Module) -> int:
    return sum(isinstance(part, LINEAR_MAPS) for part in module.modules())
