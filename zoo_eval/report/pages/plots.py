"""Interactive figures, as Plotly's JSON; colours are the style sheet's, see static/figures.js."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

Plot = dict[str, Any]

# Told apart without colour: one shape for each group of families, the last for `other`.
_SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up"),
    *("x", "star", "triangle-down", "circle-open"),
)
_LOG_DECADES = 1.5


@dataclass(frozen=True)
class Points:
    """One series of points.

    Attributes:
        name: What they have in common, for the legend.
        x: Across.
        y: Up.
        names: Name of each, shown when it is pointed at.
    """

    name: str
    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    names: Sequence[str]


@dataclass(frozen=True)
class Axes:
    """What a figure's axes show; a label of an axis is no markup.

    Attributes:
        x: Label below.
        y: Label at the side.
        log: Whether x is logarithmic.
    """

    x: str
    y: str
    log: bool = False


def scatter(series: Sequence[Points], axes: Axes, *, steps: str = "") -> Plot:
    """Points in groups, each with a colour and a shape of its own.

    Args:
        series: The groups; those without points are left out, and keep their colours.
        axes: What is shown.
        steps: How the last series, a Pareto front, is joined: `hv` for steps that go across
            before they go up, `vh` for the other way round; empty for not at all.
    """
    traces: list[Plot] = []
    for place, points in enumerate(series):
        if not len(points.x):
            continue
        joined = bool(steps) and place == len(series) - 1
        trace: Plot = {
            "type": "scatter",
            "mode": "lines+markers" if joined else "markers",
            "name": as_text(points.name),
            "x": _numbers(points.x),
            "y": _numbers(points.y),
            "text": [as_text(name) for name in points.names],
            "hovertemplate": "%{text}<br>%{x:.4~g}, %{y:.4~g}<extra>%{fullData.name}</extra>",
            "marker": {"symbol": _SYMBOLS[place % len(_SYMBOLS)]},
            "meta": {"series": place % len(_SYMBOLS), "front": joined},
        }
        if joined:
            trace["line"] = {"shape": steps, "width": 1.5}
        traces.append(trace)
    layout: Plot = {
        "xaxis": {"title": {"text": as_text(axes.x)}, "type": "log" if axes.log else "linear"},
        "yaxis": {"title": {"text": as_text(axes.y)}},
        "showlegend": len(traces) > 1,
    }
    return {"data": traces, "layout": layout}


def spans_decades(values: Float[np.ndarray, " n"]) -> bool:
    """Whether positive values are spread so widely that a logarithmic axis shows them better."""
    return (
        len(values) > 0
        and values.min() > 0
        and (float(np.log10(values.max()) - np.log10(values.min())) > _LOG_DECADES)
    )


def as_text(name: str) -> str:
    """A name that Plotly shows as it is; unescaped, it would take `<b>` for bold type."""
    return html.escape(name, quote=False)


def _numbers(values: Float[np.ndarray, " n"]) -> list[float]:
    # Six digits are more than a screen shows, and a third of the size of all.
    return [float(f"{value:.6g}") for value in values.tolist()]
