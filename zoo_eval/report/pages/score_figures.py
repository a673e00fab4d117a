"""Figures of one score: its scatter against the accuracy, and the same at equal size."""

import numpy as np
from jaxtyping import Bool, Float

from zoo_eval.report import formats
from zoo_eval.report.axis import axis_of
from zoo_eval.report.frames import Frame
from zoo_eval.report.pages.control import at_equal_size
from zoo_eval.report.pages.figure import PageFigure
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.plots import Axes, Points, scatter
from zoo_eval.report.pages.zoo import Zoo


def score_figures(zoo: Zoo, label: str, links: Links) -> list[PageFigure]:
    """The scatter, and the scatter with the size held fixed; none where nothing can be drawn."""
    if zoo.found is None:
        return []
    known = zoo.board[[label, zoo.truth]].dropna()
    if len(known) < 2:
        return []
    x, y = known[label].to_numpy(np.float64), known[zoo.truth].to_numpy(np.float64)
    row = zoo.found.correlations.loc[label]
    shown = axis_of(x)
    values, scale = (x, "") if shown.scale != "rank" else (shown.positions, ", by rank")
    axes = Axes(f"{label}{scale}", zoo.truth, shown.scale == "log scale")
    rho = formats.fixed(float(row["spearman_rho"])) or "undefined"
    figures = [
        PageFigure(
            "scatter",
            f"{zoo.truth} against {label}",
            f"ρ = {rho}, {len(known):,} models. Families by colour and shape.",
            scatter(grouped(zoo, known, values, y), axes),
            links.figure(f"{label}.svg"),
        )
    ]
    sizes = zoo.sizes.reindex(known.index)
    partial = float(row["partial_rho"])
    if not np.isnan(partial):
        sized = sizes.notna().to_numpy(bool)
        across, up = at_equal_size(x[sized], y[sized], sizes.to_numpy(np.float64)[sized])
        axes = Axes(f"places of {label}, size held fixed", f"places of {zoo.truth}")
        figures.append(
            PageFigure(
                "controlled",
                "The same at equal parameters",
                f"Partial ρ = {formats.fixed(partial)}: by how many places a model stands higher "
                "than its number of parameters lets expect, in both rankings.",
                scatter(grouped(zoo, known[sized], across, up), axes),
            )
        )
    return figures


def grouped(
    zoo: Zoo, known: Frame, x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]
) -> list[Points]:
    """Points by group of families, in the groups' own order."""
    groups = zoo.groups.reindex(known.index).to_numpy()
    names = known.index.astype(str).to_numpy()

    def points(group: str) -> Points:
        mine: Bool[np.ndarray, " n"] = groups == group
        return Points(group or "no family", x[mine], y[mine], names[mine].tolist())

    return [points(group) for group in zoo.group_names]
