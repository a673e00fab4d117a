"""Figures for papers: PNG, drawn without any global state."""

import math

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from zoo_eval.report.axis import axis_of
from zoo_eval.report.findings import Findings

# Blue and orange of Okabe and Ito, told apart by every kind of colour vision.
_SCORE, _BASELINE, _GREY = "#0072b2", "#d55e00", "#888888"
_DPI = 200

# More lines are no figure: 646 of them are 3.6 m high. The tables have all.
MAX_LINES = 60


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


def forest_title(found: Findings) -> str:
    """What the figure shows, in words."""
    n = int(found.correlations["spearman_rho"].notna().sum())
    which = "every score" if n <= MAX_LINES else f"the {MAX_LINES} strongest of {n} scores"
    return f"Spearman ρ of {which} with {found.truth}"


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


def points(
    found: Findings, score: str
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Bool[np.ndarray, " n"], list[str]]:
    """Score, accuracy, whether outside the trust gate, and name, of the models that have both."""
    board = found.leaderboard[found.leaderboard[score].notna()]
    untrusted = np.array([trusted is False for trusted in board["trusted"]], bool)
    columns = [board[name].to_numpy(np.float64) for name in (score, found.truth)]
    return columns[0], columns[1], untrusted, board.index.astype(str).tolist()


def scatter_title(found: Findings, score: str) -> str:
    """ρ and the number of models, in words."""
    row = found.correlations.loc[score]
    rho = row["spearman_rho"]
    value = "ρ undefined" if math.isnan(rho) else f"ρ = {rho:.3f}"
    return f"{value}, {row['n']} models"


def blank_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, without any global state."""
    figure = Figure(figsize=(width, height), dpi=_DPI)
    FigureCanvasAgg(figure)
    return figure
