"""The activation of the Kolmogorov–Arnold Transformer: a learned rational function by group."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_eval.errors import InputError
from zoo_eval.transforms.rational_fit import Rational, rational_like

_DEGREE = 5
_STARTS: dict[str, Callable[[], Rational]] = {
    "identity": lambda: Rational((0.0, 1.0, 0.0, 0.0, 0.0, 0.0), (0.0,) * (_DEGREE - 1)),
    "gelu": lambda: rational_like(F.gelu),
    "swish": lambda: rational_like(F.silu),
}

# A number for all elements, or a tensor that spreads to them.
Coefficients = Sequence[float] | Sequence[Tensor]


def rational(x: Tensor, numerator: Coefficients, denominator: Coefficients) -> Tensor:
    """Σᵢ aᵢ xⁱ / (1 + Σⱼ |bⱼ| |x|ʲ), as of the published kernel.

    Args:
        x: Where it is evaluated, element by element.
        numerator: a₀ … aₘ.
        denominator: b₁ … bₙ; may be none.
    """
    above = torch.zeros_like(x)
    for a in reversed(numerator):
        above = above * x + a
    if not denominator:
        return above
    size, below = x.abs(), torch.zeros_like(x)
    for b in reversed(denominator):
        below = (below + _magnitude(b)) * size
    return above / (1 + below)


def _magnitude(b: float | Tensor) -> float | Tensor:
    """|b| whose slope at 0 is 1, where that of abs is 0: a b that begins there can be learned."""
    if isinstance(b, Tensor):
        return b * torch.copysign(torch.ones_like(b), b)
    return abs(b)


class GroupRational(nn.Module):
    """R(x) = Σᵢ₌₀⁵ aᵢ xⁱ / (1 + Σⱼ₌₁⁴ |bⱼ| |x|ʲ), with learned a and b.

    Channels fall into groups of neighbours, group g of G having channels gD/G to (g+1)D/G − 1 of
    D. All groups share a, each has its own b. Denominators have |x| in them, as in the published
    kernel, not the polynomial's absolute value, to which one set of published coefficients fits.

    Args:
        start: The function that it begins as: `"identity"`, exactly; or `"gelu"` or `"swish"`,
            fitted on [−3, 3].
        groups: How many; must divide the channels.
        axis: Of the channels: the last one of tokens, 1 of maps.

    Raises:
        InputError: another start. When called: the groups do not divide the channels.

    References:
        Yang and Wang, "Kolmogorov–Arnold Transformer", ICLR 2025, https://arxiv.org/abs/2409.10594
    """

    def __init__(self, start: str = "identity", *, groups: int = 8, axis: int = -1) -> None:
        super().__init__()
        if start not in _STARTS:
            raise InputError(f"start must be one of {', '.join(_STARTS)}, but is {start!r}.")
        found = _STARTS[start]()
        self.axis = axis
        self.numerator = nn.Parameter(torch.tensor(found.numerator))
        self.denominators = nn.Parameter(torch.tensor(found.denominator).repeat(groups, 1))

    def forward(self, x: Tensor) -> Tensor:
        """R of every element, by the group of its channel."""
        n_channels, n_groups = x.shape[self.axis], len(self.denominators)
        if n_channels % n_groups:
            raise InputError(
                f"The {n_channels} channels of an input of shape {tuple(x.shape)} along axis "
                f"{self.axis} do not fall into {n_groups} groups."
            )
        shape = [1] * x.ndim
        shape[self.axis] = n_channels
        by_channel = self.denominators.repeat_interleave(n_channels // n_groups, dim=0)
        denominator = [b.view(shape) for b in by_channel.unbind(dim=1)]
        return rational(x, self.numerator.unbind(), denominator)

    def extra_repr(self) -> str:
        """Shown when the network is printed."""
        return f"groups={len(self.denominators)}, axis={self.axis}"
