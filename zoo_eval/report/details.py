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
from zoo_eval.side_processes import SideProcesses

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
    beside: SideProcesses | None = None,
) -> dict[str, Details]:
    """Details of some scores; what scores of the same models share is computed once.

    Args:
        data: What `collect` read.
        truth: `<benchmark>_<metric>`, an accuracy that some model has.
        labels: Of the scores, distinct.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.
        beside: What computes them; None: this process.
    """
    beside = beside or SideProcesses()
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
        # The longest first, so that all processes end at about the same time.
        controls = (
            beside.submit(size_control, scores, accuracy, family, sizes, **common)
            if len(sizes.columns)
            else None
        )
        plain = beside.submit(plain_intervals, scores, accuracy, **common)
        others = subsets.drop(columns="all")
        of_others = beside.submit(by_subset, scores, accuracy.to_frame(), family, others, **common)
        of_all = beside.submit(by_subset, scores, truths, family, subsets[["all"]], **common)
        near = beside.submit(near_equal_pairs, scores, accuracy, family, params, WITHIN, **common)
        influences = beside.submit(influence, scores, accuracy, family, _MOST_INFLUENCES)
        within = beside.submit(within_families, scores, accuracy, family, **common)
        top = beside.submit(at_the_top, scores, accuracy, higher_is_better=None)
    every: Frame = of_all.result()
    tall = {
        "truths": every,
        "subsets": pd.concat([every[every["truth"] == truth], of_others.result()]),
        "controls": controls.result() if controls else pd.DataFrame(columns=["score"]),
        "top": top.result(),
        "influence": influences.result(),
    }
    lines = {
        name: {str(label): rows for label, rows in table.groupby("score", sort=False)}
        for name, table in tall.items()
    }
    empty = {name: table.head(0) for name, table in tall.items()}
    return {
        label: Details(
            truth=truth,
            plain=plain.result().loc[label],
            near=near.result().loc[label],
            within=within.result().loc[label],
            **{name: lines[name].get(label, empty[name]) for name in tall},
        )
        for label in labels
    }


def _of_same_metric(data: ReportData, truth: str) -> list[str]:
    """The other accuracies of the same metric that some model has."""
    metric = truth.rpartition("_")[2]
    known = data.accuracies.columns[data.accuracies.notna().any()]
    return [name for name in map(str, known) if name != truth and name.endswith(f"_{metric}")]
