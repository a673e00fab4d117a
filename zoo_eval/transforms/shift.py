"""Weights that are powers of two, so that products become shifts; without a zero."""

import torch
from jaxtyping import Float
from torch import Tensor

from zoo_eval.transforms.weights import Weights, weight_transform

# Candidates for the scale per octave, before the exact least squares of each assignment.
_PER_OCTAVE = 8
_REFINEMENTS = 10


def _at_bits(weights: Weights, bits: float) -> list[Tensor]:
    return [with_shifts(weight, int(bits)) for weight in weights]


# Bits per weight; 32 is the weight itself.
SHIFT = weight_transform(_at_bits, levels=(5.0, 4.0, 3.0, 2.0), none=32.0)


def with_shifts(weight: Tensor, n_bits: int) -> Tensor:
    """A tensor whose weights become ±a·2ᵉ, e = 0 … 2^(bits − 1) − 1, a of each row its own.

    A row is what belongs to one place of the first axis: an output channel, except in transposed
    convolutions. Each weight takes the nearest value, not the nearest exponent; 0 counts as
    positive.
    """
    rows = weight.detach().flatten(1).double()
    scale = shift_scale(rows, n_bits)
    exponents = torch.searchsorted(scale * _thresholds(rows, n_bits), rows.abs())
    signs = torch.where(rows < 0, -1.0, 1.0)
    return (signs * scale * torch.exp2(exponents)).view(weight.shape).to(weight)


def shift_scale(rows: Float[Tensor, "rows n"], n_bits: int) -> Float[Tensor, "rows 1"]:
    """Scale a of each row with the smallest squared error: the best of a grid, made exact.

    The error of a scale needs only how many values fall to each exponent, and their sum, which are
    read off the sorted row. Given who falls where, the best scale is a quotient.
    """
    ordered = rows.abs().sort(dim=1).values
    sums = torch.nn.functional.pad(ordered.cumsum(dim=1), (1, 0))
    thresholds = _thresholds(rows, n_bits)
    powers = torch.exp2(torch.arange(len(thresholds) + 1, dtype=rows.dtype, device=rows.device))

    def moments(scales: Tensor) -> tuple[Tensor, Tensor]:
        """Σ 2ᵉ|w| and Σ 4ᵉ over each row, for each of its scales."""
        cuts = (scales[..., None] * thresholds).flatten(1)
        inner = torch.searchsorted(ordered, cuts).view(*scales.shape, -1)
        edges = torch.nn.functional.pad(inner, (1, 0))
        edges = torch.nn.functional.pad(edges, (0, 1), value=rows.shape[1])
        totals = sums.gather(1, edges.flatten(1)).view(edges.shape).diff()
        return (totals * powers).sum(-1), (edges.diff() * powers**2).sum(-1)

    octaves = len(thresholds) + 4  # below the largest value at the highest exponent
    steps = torch.linspace(-octaves, 0, octaves * _PER_OCTAVE + 1).to(rows)
    grid = ordered[:, -1:] * torch.exp2(steps)
    first, second = moments(grid)
    scale = grid.gather(1, (grid * (grid * second - 2 * first)).argmin(1, keepdim=True))
    for _ in range(_REFINEMENTS):
        first, second = moments(scale)
        scale = first / second
    return scale


def _thresholds(rows: Tensor, n_bits: int) -> Float[Tensor, " exponents"]:
    """Middles between neighbouring powers of two, at scale 1."""
    exponents = torch.arange(2 ** (n_bits - 1) - 1, dtype=rows.dtype, device=rows.device)
    return 1.5 * torch.exp2(exponents)
