"""What the scores are worth: correlations with one accuracy, and the leaderboard."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zoo_eval.correlation import correlate
from zoo_eval.errors import ReportError
from zoo_eval.report.collect import ReportData
from zoo_eval.report.frames import Frame, Series

# Asked for first where several accuracies are known for equally many models.
_PREFERRED = ("fashion", "imagenet", "real", "v2", "sketch", "a", "r")

# With more points in its scatters a page is slow to make and to show: 13 of 1,556 models.
MAX_POINTS = 20_000


@dataclass(frozen=True)
class Findings:
    """The statistics of one report.

    Attributes:
        data: What they were computed from.
        truth: The accuracy that scores are judged by, `<benchmark>_<metric>`.
        correlations: As `zoo_eval.correlation.correlate` gives them, strongest |ρ| first, and
            the columns `baseline` (bool), `seconds`, `difference`, `difference_low`,
            `difference_high` (|ρ| less that of the best baseline on the same models) and
            `beats_baseline` (bool: the interval of the difference lies above 0).
        best_baseline: The baseline of largest |ρ|; empty if none has a correlation.
        leaderboard: Models with a known accuracy, best first: the model's facts, the accuracy
            in a column named as `truth`, `trusted` (True, False, or None: not checked), scores.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.
    """

    data: ReportData
    truth: str
    correlations: Frame
    best_baseline: str
    leaderboard: Frame
    resamples: int
    seed: int

    @property
    def scores(self) -> list[str]:
        """Labels of the scores that are not baselines, strongest first."""
        return self.correlations.index[~self.correlations["baseline"]].tolist()

    @property
    def drawable(self) -> list[str]:
        """Labels of the scores to draw: the strongest, until there are too many points.

        That is every score that some model of the leaderboard has, unless scores and models are
        both many; all values are in the leaderboard.
        """
        points = self.leaderboard[self.correlations.index].notna().sum()
        points = points[points > 0]
        before = points.cumsum() - points
        return points.index[before < MAX_POINTS].tolist()

    @property
    def untrusted(self) -> list[str]:
        """Models outside the trust gate."""
        outside = [trusted is False for trusted in self.leaderboard["trusted"]]
        return self.leaderboard.index[np.array(outside, bool)].tolist()


def findings(
    data: ReportData, truth: str | None = None, *, resamples: int = 1000, seed: int = 0
) -> Findings:
    """Correlate every score with an accuracy.

    Args:
        data: What `collect` read.
        truth: `<benchmark>_<metric>`; None takes the one that is known for most models.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.

    Raises:
        ReportError: the accuracy is unknown, or no model that was tried has one.
    """
    truth = choose_truth(data, truth)
    accuracy, family = data.accuracies[truth], data.models["family"]
    table: Frame = correlate(
        data.scores, accuracy, family, _params(data), resamples, seed, baselines=data.baselines
    )
    table["baseline"] = table.index.isin(data.baselines)
    table["seconds"] = data.columns["seconds"]
    table = table.sort_values("spearman_rho", key=np.abs, ascending=False, kind="stable")
    defined = table.index[table["baseline"] & table["spearman_rho"].notna()]
    best = str(defined[0]) if len(defined) else ""
    for column in ("difference", "difference_low", "difference_high"):
        table[column] = table.pop(column) if column in table else math.nan
    table["beats_baseline"] = table["difference_low"] > 0
    return Findings(data, truth, table, best, _leaderboard(data, truth), resamples, seed)


def known_truths(data: ReportData) -> list[str]:
    """Accuracies that some model has; first that of most models, then the best known."""
    known = data.accuracies.notna().sum()
    known = known[known > 0]
    return sorted(map(str, known.index), key=lambda truth: (-known[truth], *_preference(truth)))


def choose_truth(data: ReportData, truth: str | None) -> str:
    """The accuracy to judge by: the one that is named, else the first of `known_truths`.

    Raises:
        ReportError: it is unknown, or no model that was tried has one.
    """
    known = known_truths(data)
    if not known:
        raise ReportError(
            f"There is nothing to correlate with: none of the {len(data.scores)} models that were "
            "tried has an accuracy in the store."
        )
    if truth is None:
        return known[0]
    if truth not in known:
        n = data.accuracies.notna().sum()
        listed = ", ".join(f"{name} ({n[name]} models)" for name in n.index[n > 0])
        raise ReportError(f"No model has the accuracy {truth!r}; the store has: {listed}.")
    return truth


def _preference(truth: str) -> tuple[bool, int, str]:
    benchmark, _, metric = truth.rpartition("_")
    rank = _PREFERRED.index(benchmark) if benchmark in _PREFERRED else len(_PREFERRED)
    return metric != "top1", rank, truth


def _params(data: ReportData) -> Series:
    """Parameters as counted where they were, else as the manifest states them."""
    stated = data.models["params"].astype("float64")
    return data.scores["params"].fillna(stated) if "params" in data.scores else stated


def _leaderboard(data: ReportData, truth: str) -> Frame:
    gate = data.trust.groupby("model")["trusted"].all()
    checked: dict[str, bool] = {str(model): bool(passed) for model, passed in gate.items()}
    known = data.accuracies[truth].dropna().rename(truth)
    flags = [checked.get(str(model)) for model in known.index]
    trusted = pd.Series(flags, known.index, object, "trusted")
    params = _params(data).rename("params")
    shown = [*data.scores.columns, "params", "macs", "activations", "details"]
    facts = data.models.drop(columns=shown, errors="ignore")
    scores = data.scores.drop(columns="params", errors="ignore")
    board: Frame = pd.concat([known, trusted, facts, params, scores], axis=1, join="inner")
    return board.sort_values(truth, ascending=False, kind="stable")
