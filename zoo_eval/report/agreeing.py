"""Which scores say the same: correlations of the strongest with each other, and their picture."""

import numpy as np
from matplotlib.figure import Figure

from zoo_eval.correlation import among
from zoo_eval.report.figures import blank_figure
from zoo_eval.report.findings import Findings
from zoo_eval.report.frames import Frame

# Each pair takes a bootstrap, whose time grows with the models: some seconds altogether.
_MOST_MODELS = 100_000


def agreeing(found: Findings) -> Frame:
    """As `zoo_eval.correlation.among` gives it, of the strongest scores and the baselines.

    Of how many depends on the models: as many as make 100,000 pairs and models together, which is
    57 scores of 61 models and 11 of 1,556.
    """
    known = found.correlations["spearman_rho"].notna()
    strongest = found.correlations.index[known].tolist()
    n_models = max(len(found.leaderboard), 1)
    most = int((1 + np.sqrt(1 + 8 * _MOST_MODELS / n_models)) / 2)
    return among(
        found.leaderboard[strongest[:most]],
        found.leaderboard["family"],
        found.resamples,
        found.seed,
    )


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


def agreeing_title(pairs: Frame) -> str:
    """What the figure shows, in words."""
    n = len({*pairs["first"], *pairs["second"]})
    return f"Spearman ρ of {n} scores with each other; with intervals in among.csv"
