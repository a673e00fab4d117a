"""Which scores say the same: correlations of the strongest with each other."""

import numpy as np

from zoo_eval.correlation import among
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


def agreeing_title(pairs: Frame) -> str:
    """What the figure shows, in words."""
    n = len({*pairs["first"], *pairs["second"]})
    return f"Spearman ρ of {n} scores with each other; with intervals in among.csv"
