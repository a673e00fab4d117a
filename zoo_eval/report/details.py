"""More about some scores than one line of a table: what each correlation depends on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from threadpoolctl import threadpool_limits

from zoo_eval.correlation import (
    at_the_top,
    by_subset,
    influence,
    near_equal_pairs,
    plain_intervals,
    size_control,
    top_share,
    within_families,
)
from zoo_eval.report.board import board_of
from zoo_eval.report.collect import BASELINES, ReportData
from zoo_eval.report.frames import Frame, Series
from zoo_eval.report.subsets import standard_subsets

TOP = 0.2
TOP_FIFTH = "top fifth by accuracy"
# Largest relative difference in parameters of models that count as equally large.
WITHIN = 0.1
_MOST_INFLUENCES = 5
_SIZES = (*BASELINES, "image_size")


@dataclass(frozen=True)
class Details:
    """What one score's correlation with one accuracy depends on; lines without the score's name.

    Attributes:
        truth: The accuracy.
        plain: Ends of the intervals as if models of one family were independent, see
            `plain_intervals`.
        truths: A line per accuracy of the same metric, `truth` first, see `by_subset`.
        subsets: A line per subset of the models, see `by_subset` and `standard_subsets`; the last
            holds the best fifth of the models.
        controls: A line per size that is held fixed, and for all of them, see `size_control`.
        near: Over pairs of models with nearly as many parameters, see `near_equal_pairs`.
        within: Over models of the same family, see `within_families`.
        top: A line per k, see `at_the_top`.
        influence: Models, then families, whose absence changes ρ most, see `influence`.
    """

    truth: str
    plain: Series
    truths: Frame
    subsets: Frame
    controls: Frame
    near: Series
    within: Series
    top: Frame
    influence: Frame


def details(
    data: ReportData,
    truth: str,
    labels: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Details]:
    """Details of some scores; what scores of the same models share is computed once.

    Args:
        data: What `collect` read.
        truth: `<benchmark>_<metric>`, an accuracy that some model has.
        labels: Of the scores, distinct.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    scores: Frame = data.scores[list(labels)]
    accuracy, family = data.accuracies[truth], data.models["family"]
    board = board_of(data)
    sizes: Frame = board[[name for name in _SIZES if name in board and board[name].notna().any()]]
    params: Series = board["params"] if "params" in board else accuracy * math.nan
    truths: Frame = data.accuracies[[truth, *_of_same_metric(data, truth)]]
    subsets = standard_subsets(data.models, accuracy)
    subsets[TOP_FIFTH] = top_share(accuracy, TOP)
    common = {"resamples": resamples, "seed": seed}
    # Else numpy's threads would wait for each other at every small product.
    with threadpool_limits(1, "blas"):
        plain = plain_intervals(scores, accuracy, **common)
        near = near_equal_pairs(scores, accuracy, family, params, WITHIN, **common)
        within = within_families(scores, accuracy, family, **common)
        of_all: Frame = by_subset(scores, truths, family, subsets[["all"]], **common)
        of_others: Frame = by_subset(
            scores, accuracy.to_frame(), family, subsets.drop(columns="all"), **common
        )
        tall = {
            "truths": of_all,
            "subsets": pd.concat([of_all[of_all["truth"] == truth], of_others]),
            "controls": size_control(scores, accuracy, family, sizes, **common)
            if len(sizes.columns)
            else pd.DataFrame(columns=["score"]),
            "top": at_the_top(scores, accuracy, higher_is_better=None),
            "influence": influence(scores, accuracy, family, _MOST_INFLUENCES),
        }
    lines = {
        name: {str(label): rows for label, rows in table.groupby("score", sort=False)}
        for name, table in tall.items()
    }
    empty = {name: table.head(0) for name, table in tall.items()}
    return {
        label: Details(
            truth=truth,
            plain=plain.loc[label],
            near=near.loc[label],
            within=within.loc[label],
            **{name: lines[name].get(label, empty[name]) for name in tall},
        )
        for label in labels
    }


def _of_same_metric(data: ReportData, truth: str) -> list[str]:
    """The other accuracies of the same metric that some model has."""
    metric = truth.rpartition("_")[2]
    known = data.accuracies.columns[data.accuracies.notna().any()]
    return [name for name in map(str, known) if name != truth and name.endswith(f"_{metric}")]
