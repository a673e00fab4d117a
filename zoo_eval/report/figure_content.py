"""What figures show: the points of a scatter, and titles in words."""

import math

import numpy as np
from jaxtyping import Bool, Float

from zoo_eval.report.findings import Findings

KINDS = ("png", "svg")

# More lines are no figure: 646 of them are 3.6 m high. The tables have all.
MAX_LINES = 60


def forest_title(found: Findings) -> str:
    """What the figure shows, in words."""
    n = int(found.correlations["spearman_rho"].notna().sum())
    which = "every score" if n <= MAX_LINES else f"the {MAX_LINES} strongest of {n} scores"
    return f"Spearman ρ of {which} with {found.truth}"


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
