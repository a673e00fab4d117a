"""What the blocks of a network do to the probe images: entropies of outputs, gains of gradients.

A *block* is a module that the network applies one after another, as the residual blocks of a
ResNet or the layers of a ViT: a module with two or more convolutions or linear layers, that is an
item of a `Sequential`, of a `ModuleList` or of a module whose class is called a stage, and that
holds no such module itself. On the smallest network of each of timm's 84 families this finds 4
to 39 blocks; VGG, DLA, Inception v3, NASNet, PNASNet and ConvMixer have none of that form.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator, eigsh
from scipy.special import entr
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

# Columns of a matrix from which its largest singular value is found without the others: 0.8 in
# place of 2.0 s at 4,096 × 2,048, 0.01 in place of 0.04 s at 512 × 512.
_LANCZOS_FROM = 512


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
    # Channels last: rows of positions are then in order, and convolutions faster.
    images = probe_images.detach().clone(memory_format=torch.channels_last)
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


def _channels_behind(values: Tensor, call: _Call) -> Tensor:
    return values if call.channels_last else values.movedim(1, -1)


def _rows(image: Tensor) -> Float[Tensor, "positions channels"]:
    """One row per position of an image, which stays in the cache and, as a rule, in its order."""
    return image.reshape(-1, image.shape[-1])


def _entropy(call: _Call) -> float:
    outputs = _channels_behind(call.outputs.detach(), call)
    largest = outputs.abs().max().double()
    if not largest.isfinite():
        raise ScoreUndefinedError(
            f"The outputs of a block, of shape {tuple(call.outputs.shape)}, are NaN or infinite. "
            "Does the network overflow with these weights?"
        )
    scale = largest.clamp(min=1e-300)  # so that no square overflows
    means = torch.stack([_rows(i).mean(dim=0, dtype=torch.float64) for i in outputs]).mean(dim=0)
    centred = ((_rows(image) - means).div_(scale) for image in outputs)
    n_channels = outputs.shape[-1]
    # Rows and columns have the same eigenvalues beside zeros; the smaller product is cheaper.
    if n_channels * n_channels <= outputs.numel():
        product = outputs.new_zeros((n_channels, n_channels), dtype=torch.float64)
        for rows in centred:
            product.addmm_(rows.T, rows)
    else:
        rows = torch.cat(list(centred))
        product = rows @ rows.T
    eigenvalues = np.linalg.eigvalsh(product.cpu().numpy()).clip(min=0)
    total = eigenvalues.sum()
    return float(entr(eigenvalues / total).sum()) if total > 0 else 0.0


def _gain(call: _Call) -> float | None:
    drawn = torch.empty(call.outputs.shape, dtype=torch.int8).random_(0, 2)
    signs = drawn.to(call.outputs).mul_(2).sub_(1)
    (pulled,) = torch.autograd.grad(
        call.outputs, [call.inputs], signs, retain_graph=True, materialize_grads=True
    )
    after = _channels_behind(signs, call)
    before = _fold(_channels_behind(pulled, call), after.shape[1:-1])
    if before is None:
        return None
    largest = before.abs().max().double()
    if not largest.isfinite():
        raise ScoreUndefinedError(
            f"The gradients of a block, of shape {tuple(call.inputs.shape)}, are NaN or infinite. "
            "Does the network overflow with these weights?"
        )
    scale = float(largest) or 1.0  # so that no product overflows
    n_before, n_after = before.shape[-1], after.shape[-1]
    n_rows = after.numel() // n_after
    rows = ((_rows(b) / scale, _rows(a)) for b, a in zip(before, after, strict=True))
    if n_before * n_after <= n_rows * (n_before + n_after):
        # Products of one image are no more precise than the network, their sum is.
        product = before.new_zeros((n_before, n_after), dtype=torch.float64)
        for pulled_rows, sign_rows in rows:
            product += pulled_rows.T @ sign_rows
        factors = [product]
    else:  # the factors are smaller than their product
        pairs = zip(*rows, strict=True)
        all_pulled, all_signs = (torch.cat(of_images).double() for of_images in pairs)
        factors = [all_pulled.T, all_signs]
    return largest_singular_value(*factors) * scale / n_rows


def largest_singular_value(*factors: Float[Tensor, "_ _"]) -> float:
    """‖M‖₂ of a product M of float64 matrices.

    Of a large one by Lanczos iteration on x ↦ MᵀMx, to machine precision: some hundred products
    with vectors in place of all its singular values.
    """
    if factors[-1].shape[1] > factors[0].shape[0]:
        factors = tuple(factor.T for factor in reversed(factors))
    n = factors[-1].shape[1]
    if n < _LANCZOS_FROM:
        matrix = functools.reduce(torch.matmul, factors)
        return float(torch.linalg.eigvalsh(matrix.T @ matrix)[-1].clamp(min=0).sqrt())
    arrays = [factor.cpu().numpy() for factor in factors]

    def apply(x: np.ndarray) -> np.ndarray:
        for array in reversed(arrays):
            x = array @ x
        for array in arrays:
            x = array.T @ x
        return x

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
