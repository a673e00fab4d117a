"""Figures for papers: PNG and SVG, drawn without any global state."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from io import BytesIO

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from zoo_eval.report.axis import axis_of
from zoo_eval.report.figure_content import KINDS, MAX_LINES, points, scatter_title
from zoo_eval.report.findings import Findings
from zoo_eval.report.frames import Frame

# Blue and orange of Okabe and Ito, told apart by every kind of colour vision.
_SCORE, _BASELINE, _GREY = "#0072b2", "#d55e00", "#888888"
_DPI = 200
# Neither a date nor a version nor random identifiers: the same findings give the same file.
_UNSAID = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}


def figure_files(
    found: Findings, pairs: Frame, scatters: Mapping[str, str], names: Collection[str]
) -> dict[str, bytes]:
    """Files of some figures, PNG and SVG, by name.

    Args:
        found: The findings.
        pairs: What `agreeing` gave.
        scatters: Name of each score's scatter.
        names: `forest`, `among`, or one of the scatters.
    """
    drawings: dict[str, Callable[[], Figure]] = {
        "forest": partial(forest_figure, found),
        "among": partial(agreeing_figure, pairs),
        **{name: partial(scatter_figure, found, score) for score, name in scatters.items()},
    }
    files: dict[str, bytes] = {}
    for name in names:
        figure = drawings[name]()
        for kind in KINDS:
            buffer = BytesIO()
            with rc_context({"svg.hashsalt": "zoo_eval"}):
                figure.savefig(buffer, format=kind, metadata=_UNSAID[kind])
            files[f"{name}.{kind}"] = buffer.getvalue()
    return files


def forest_figure(found: Findings) -> Figure:
    """Spearman's ρ of the strongest scores with its interval, strongest on top."""
    table = found.correlations[found.correlations["spearman_rho"].notna()][:MAX_LINES]
    names = [str(score) for score in table.index]
    n = max(len(table), 1)
    left, width = 0.25 + 0.062 * max(map(len, names), default=0), 3.1  # inches
    figure = blank_figure(left + width + 0.15, 0.9 + 0.22 * n)
    box = np.array([left, 0.55, width, 0.22 * n]) / np.tile(figure.get_size_inches(), 2)
    axes = figure.add_axes((box[0], box[1], box[2], box[3]))
    places = np.arange(n, 0, -1)
    for baseline, marker, colour in ((False, "o", _SCORE), (True, "D", _BASELINE)):
        chosen = (table["baseline"] == baseline).to_numpy(bool)
        at, rows = places[: len(table)][chosen], table[chosen]
        axes.hlines(at, rows["spearman_low"], rows["spearman_high"], color=colour, linewidth=1.2)
        name = "baseline" if baseline else "score"
        axes.plot(
            rows["spearman_rho"], at, marker, color=colour, markersize=4, label=name, clip_on=False
        )
    axes.axvline(0, color=_GREY, linewidth=0.6, zorder=0)
    axes.set(xlim=(-1, 1), ylim=(0.3, n + 0.7), xticks=(-1, -0.5, 0, 0.5, 1))
    axes.set_yticks(places[: len(table)], names, fontsize=7, parse_math=False)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel(f"Spearman ρ with {found.truth}, 95 % interval", fontsize=8, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="upper right", ncols=2, fontsize=7, frameon=False)
    return figure


def scatter_figure(found: Findings, score: str) -> Figure:
    """A score against the accuracy, one point per model."""
    x, y, untrusted, _ = points(found, score)
    figure = blank_figure(3.4, 2.7)
    axes = figure.add_axes((0.16, 0.17, 0.81, 0.73))
    across, up = axis_of(x), axis_of(y)
    size = 2.6 if len(x) < 300 else 1.6
    for outside, edge, face in ((False, _SCORE, _SCORE), (True, _BASELINE, "none")):
        chosen = untrusted == outside
        x_at, y_at = across.positions[chosen], up.positions[chosen]
        axes.plot(x_at, y_at, "o", ms=size + 2 * outside, mew=0.7, alpha=0.75, mec=edge, mfc=face)
    for axis, placed in ((axes.xaxis, across), (axes.yaxis, up)):
        axis.set_ticks([at for at, _ in placed.ticks], [label for _, label in placed.ticks])
    axes.tick_params(labelsize=6.5)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    name = f"{score}, {across.scale}" if across.scale else score
    axes.set_xlabel(name, fontsize=7.5, parse_math=False)
    axes.set_ylabel(found.truth, fontsize=7.5, parse_math=False)
    axes.set_title(scatter_title(found, score), fontsize=7.5, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def agreeing_figure(pairs: Frame) -> Figure:
    """Spearman's ρ of every two scores: blue where they order models alike, red oppositely."""
    names = [*dict.fromkeys([*pairs["first"], *pairs["second"]])]
    places = {name: place for place, name in enumerate(names)}
    matrix = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    rows, columns = (pairs[column].map(places).to_numpy() for column in ("first", "second"))
    matrix[rows, columns] = matrix[columns, rows] = pairs["spearman_rho"]
    left, side = 0.25 + 0.062 * max(map(len, names), default=0), 0.16 * len(names)  # inches
    figure = blank_figure(left + side + 0.75, left + side + 0.1)
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, left / height, side / width, side / height))
    image = axes.imshow(matrix, cmap="RdBu", vmin=-1, vmax=1)
    axes.set_xticks(range(len(names)), names, fontsize=6, rotation=90, parse_math=False)
    axes.set_yticks(range(len(names)), names, fontsize=6, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    scale = figure.add_axes(
        ((left + side + 0.12) / width, left / height, 0.1 / width, side / height)
    )
    figure.colorbar(image, cax=scale).ax.tick_params(labelsize=6)
    return figure


def blank_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, without any global state."""
    figure = Figure(figsize=(width, height), dpi=_DPI)
    FigureCanvasAgg(figure)
    return figure
