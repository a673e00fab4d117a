"""Pictures inside the page: a scatter per score, a bar per interval, as compact SVG."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from markupsafe import Markup, escape

from zoo_eval.report import formats
from zoo_eval.report.axis import axis_of

_WIDTH, _HEIGHT = 340, 236
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 334, 6, 204


def scatter_svg(
    score: Float[np.ndarray, " n"],
    accuracy: Float[np.ndarray, " n"],
    models: Sequence[str],
    ringed: Bool[np.ndarray, " n"],
    title: str,
    score_name: str,
    accuracy_name: str,
) -> Markup:
    """One point per model, whose name and values are its title.

    The points are hidden from screen readers, who get the picture's title; the numbers are
    in the tables.
    """
    x, y = axis_of(score), axis_of(accuracy)
    across, down = _RIGHT - _LEFT, _BOTTOM - _TOP
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<path class="axis" d="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}"/>',
    ]
    for position, label in x.ticks:
        at = _LEFT + position * across
        parts.append(f'<path class="grid" d="M{at:.1f} {_TOP}V{_BOTTOM}"/>')
        parts.append(f'<text x="{at:.1f}" y="{_BOTTOM + 13}" class="x">{_minus(label)}</text>')
    for position, label in y.ticks:
        at = _BOTTOM - position * down
        parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{_RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{at + 3.5:.1f}" class="y">{_minus(label)}</text>')
    middle = (_LEFT + _RIGHT) / 2
    named = f"{score_name}, {x.scale}" if x.scale else score_name
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 4}" class="x name">{escape(named)}</text>')
    parts.append(
        f'<text x="10" y="{(_TOP + _BOTTOM) / 2:.0f}" class="x name up">'
        f"{escape(accuracy_name)}</text>"
    )
    xs, ys = _LEFT + x.positions * across, _BOTTOM - y.positions * down
    radius = 2.6 if len(models) < 300 else 1.7
    # Hollow points last, so that no other point covers them.
    for outside in (False, True):
        parts.append(f'<g class="{"outside" if outside else "points"}">')
        for i in np.flatnonzero(ringed == outside).tolist():
            about = f"{models[i]}: {formats.significant(score[i])}, {formats.fixed(accuracy[i])}"
            parts.append(
                f'<circle cx="{xs[i]:.1f}" cy="{ys[i]:.1f}" r="{radius}">'
                f"<title>{escape(about)}</title></circle>"
            )
        parts.append("</g>")
    parts.append("</svg>")
    return Markup("".join(parts))  # every text above is escaped


def _minus(tick_label: str) -> Markup:
    return escape(tick_label.replace("-", "−"))


def interval_svg(value: float, low: float, high: float, baseline: bool) -> Markup:
    """A value between -1 and 1 with its interval, as one line of a forest plot.

    It repeats what the cell says in digits, so screen readers skip it.
    """
    if math.isnan(value):
        return Markup()

    def at(number: float) -> str:
        return f"{80 + 76 * min(max(number, -1), 1):.1f}"

    parts = [
        '<svg class="forest" viewBox="0 0 160 53" aria-hidden="true">',
        '<path class="grid" d="M4 0V53M42 0V53M118 0V53M156 0V53"/>',
        '<path class="zero" d="M80 0V53"/>',
    ]
    if not math.isnan(low):
        parts.append(f'<path class="whisker" d="M{at(low)} 22v8m0-4H{at(high)}m0-4v8"/>')
    if baseline:
        parts.append(f'<path class="baseline" d="M{at(value)} 22l4 4-4 4-4-4z"/>')
    else:
        parts.append(f'<circle class="value" cx="{at(value)}" cy="26" r="3.2"/>')
    parts.append("</svg>")
    return Markup("".join(parts))  # numbers only
