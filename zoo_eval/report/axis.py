"""An axis for the values of a score: which scale shows them, where they lie, what to label."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zoo_eval.correlation.ties import midranks
from zoo_eval.report.formats import tick

# A positive score over more than two decades is read on a logarithmic scale.
_LOG_DECADES = 2
# Where the whole range is this many times that of the middle 90 %, a few outliers would
# squeeze everything else into one spot.
_TAIL_RATIO = 12
_TAILS_SEEN_FROM = 20
_MARGIN = 0.03


@dataclass(frozen=True)
class Axis:
    """Values on an axis from 0 to 1.

    Attributes:
        positions: Where each value lies.
        ticks: Position and label of each tick.
        scale: What the axis shows if not the value itself: `log scale`, `rank`; else empty.
    """

    positions: Float[np.ndarray, " n"]
    ticks: tuple[tuple[float, str], ...]
    scale: str = ""


def axis_of(values: Float[np.ndarray, " n"]) -> Axis:
    """Choose the scale that shows all values: linear, logarithmic, or ranks.

    Correlations here are of ranks, so a scale that keeps the order shows the same relation.
    """
    low, high = float(values.min()), float(values.max())
    if low > 0 and math.log10(high) - math.log10(low) >= _LOG_DECADES:
        positions, ticks = _placed(np.log10(values), _decades(low, high), np.log10)
        return Axis(positions, ticks, "log scale")
    if _heavy_tailed(values):
        ranks = midranks(values)
        positions, ticks = _placed(ranks, _round_steps(float(ranks.min()), float(ranks.max())))
        return Axis(positions, ticks, "rank")
    return Axis(*_placed(values, _round_steps(low, high)))


def _heavy_tailed(values: Float[np.ndarray, " n"]) -> bool:
    # Halved, so that the range of the largest numbers does not overflow.
    low, start, end, high = np.quantile(values / 2, [0, 0.05, 0.95, 1]).tolist()
    if low < high and not 1e-300 < high - low < 1e300:
        return True  # not a matter of tails, but a linear scale cannot be computed
    return len(values) > _TAILS_SEEN_FROM and high - low > _TAIL_RATIO * (end - start)


def _placed(
    values: Float[np.ndarray, " n"], ticks: list[float], transform: np.ufunc | None = None
) -> tuple[Float[np.ndarray, " n"], tuple[tuple[float, str], ...]]:
    low, high = values.min(), values.max()
    span = (high - low) or 1.0
    scale = (1 - 2 * _MARGIN) / span
    offset = _MARGIN if high > low else 0.5
    marks = [float(transform(t)) if transform else t for t in ticks]
    places = [offset + (mark - low) * scale for mark in marks]
    placed = zip(places, _labels(ticks), strict=True)
    return offset + (values - low) * scale, tuple(p for p in placed if 0 <= p[0] <= 1)


def _labels(ticks: list[float]) -> list[str]:
    """Labels with equally many decimals, unless one has a prefix or an exponent."""
    labels = [tick(t) for t in ticks]
    decimals = max((len(label.partition(".")[2]) for label in labels), default=0)
    if any(label[-1].isalpha() or "e" in label for label in labels):
        return labels
    return [f"{t:.{decimals}f}" for t in ticks]


def _round_steps(low: float, high: float) -> list[float]:
    """Three to six round numbers between low and high."""
    if low == high:
        return [float(low)]
    rough = (high - low) / 4
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = min((1, 2, 2.5, 5, 10), key=lambda s: abs(s * magnitude - rough)) * magnitude
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{i * step:.10g}") for i in range(first, last + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten between low and high, at most six."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = math.ceil((last - first + 1) / 6)
    return [10.0**exponent for exponent in range(first, last + 1, step)]
