"""What a report is made from: the store's tables, scores and accuracies turned wide."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import pandas as pd

from zoo_eval.correlation import over_seeds, seed_means
from zoo_eval.errors import ReportError
from zoo_eval.report.frames import Frame, Series
from zoo_eval.report.labels import SETTING, Options, label_settings
from zoo_eval.report.pool import add_pool_scores
from zoo_eval.report.summaries import (
    facts_of_columns,
    gaps,
    images_per_second,
    intervals,
    seed_values,
)
from zoo_eval.scores import POOL_SCORES, SCORES, PoolScore

# Known before any network is run. A score that does not beat them is not worth its time.
BASELINES = ("params", "macs", "activations")


@runtime_checkable
class StoreFrames(Protocol):
    """What is read from a store; `zoo_eval.Store` has it."""

    def scores(self, *, compact: bool = ...) -> Frame:
        """Newest value of every score setting; if compact, text may be categories."""
        ...

    def models(self) -> Frame:
        """Facts of every model."""
        ...

    def accuracies(self) -> Frame:
        """Accuracy by model, benchmark and metric."""
        ...

    def trust(self) -> Frame:
        """Measured against published accuracy."""
        ...

    def runs(self) -> Frame:
        """Runs, oldest first."""
        ...

    def datasets(self) -> Frame:
        """Datasets by digest."""
        ...

    def failures(self) -> Frame:
        """Models whose last attempt did not end well."""
        ...

    def attempts(self) -> Frame:
        """Every try at a model, oldest first."""
        ...


@dataclass(frozen=True)
class ReportData:
    """Everything that a report shows or computes from; nothing of how it is shown.

    Attributes:
        scores: One row per model that was tried, one column per score label, the mean over
            seeds; NaN where undefined or never computed. The baselines are among the columns, and
            the pool scores, which are computed here.
        columns: One row per score label: `score`, `options`, `weights`, `dataset`, `seeds` (how
            many), `seconds` (median over models).
        gaps: Why a model's score has no value: `score` (label), `model`, `reason`.
        models: Facts of the models in `scores`.
        accuracies: The same models, one column per truth, `<benchmark>_<metric>`.
        sources: Where the figures of each truth come from.
        trust: Rows of the trust gate for these models.
        runs: The store's runs.
        datasets: The datasets that the scores were computed on.
        failures: The store's failures.
        attempts: The store's attempts.
        images_per_second: By model, as measured here: images of a dataset over the least time
            that a score took which needs one forward pass. NaN where no such score was computed.
        intervals: By label of a score that is an estimate, `low` and `high` of models: ends of its
            own 95 % interval, given the network.
        by_seed: By label of a score that some model has at two seeds or more, in the order of
            `columns`: one row per model, one column per seed.
    """

    scores: Frame
    columns: Frame
    gaps: Frame
    models: Frame
    accuracies: Frame
    sources: Mapping[str, str]
    trust: Frame
    runs: Frame
    datasets: Frame
    failures: Frame
    attempts: Frame
    images_per_second: Series
    intervals: Mapping[str, Frame]
    by_seed: Mapping[str, Frame]

    @cached_property
    def undefined(self) -> Frame:
        """Why scores have no value: `score` (label), `reason`, `n_models`, `example`.

        The most frequent reason of a score first.
        """
        reasons: Frame = self.gaps.groupby(["score", "reason"], as_index=False, dropna=False).agg(
            n_models=("model", "size"), example=("model", "min")
        )
        return reasons.sort_values(
            ["score", "n_models", "reason"], ascending=[True, False, True], ignore_index=True
        )

    @cached_property
    def over_seeds(self) -> Frame:
        """A line per score of `by_seed`: see `zoo_eval.correlation.over_seeds`."""
        return over_seeds(self.by_seed)

    @cached_property
    def seed_means(self) -> Frame:
        """`score`, `model`, `seeds`, `mean`, `sd`: each model of each score of `by_seed`."""
        means = {label: seed_means(by_seed) for label, by_seed in self.by_seed.items()}
        columns = ["seeds", "mean", "sd"]
        if not means:
            return pd.DataFrame(columns=["model", *columns], index=pd.Index([], name="score"))
        tall: Frame = pd.concat(means, names=["score", "model"])
        return tall.reset_index("model")[["model", *columns]]

    @property
    def baselines(self) -> list[str]:
        """Labels of the baselines that are known here."""
        return [name for name in BASELINES if name in self.scores.columns]


def collect(
    store: StoreFrames,
    defaults: Mapping[str, Options] | None = None,
    pool_scores: Mapping[str, PoolScore] | None = None,
) -> ReportData:
    """Read everything that a report needs.

    Args:
        store: The store.
        defaults: Default options of each score, which labels leave out; None asks the registry.
        pool_scores: Scores to compute from the stored ones; None asks the registry.

    Raises:
        ReportError: the store has no scores.
    """
    stored, failures = store.scores(compact=True), store.failures()
    if stored.empty:
        raise ReportError(
            "There is nothing to report: the store has no scores. Run `zoo-eval run JOB` first."
        )
    if defaults is None:
        defaults = {name: score.options for name, score in SCORES.items()}
    if pool_scores is None:
        pool_scores = POOL_SCORES
    forward = {name for name, score in SCORES.items() if score.cost == "1 forward"}
    settings = label_settings(stored, defaults)
    tall = _labelled(stored, settings)
    found = {*tall["model"].unique(), *failures["model"]}
    tried = pd.Index(sorted(found), name="model", dtype=object)
    models = store.models().set_index("model").reindex(tried)
    wide = tall.groupby(["model", "label"], observed=True)["value"].mean().unstack("label")
    wide.columns = wide.columns.astype(object)
    scores = wide.reindex(index=tried, columns=settings["label"].tolist())
    for name in BASELINES:
        if name not in scores.columns and name in models and models[name].notna().any():
            scores[name] = models[name].astype("float64")
    scores.columns.name = None
    columns = facts_of_columns(tall, settings).reindex(scores.columns)
    add_pool_scores(scores, columns, pool_scores.values())
    accuracies, sources = _accuracies(store.accuracies())
    trust, datasets = store.trust(), store.datasets()
    return ReportData(
        scores=scores,
        columns=columns,
        gaps=gaps(tall),
        models=models,
        accuracies=accuracies.reindex(tried),
        sources=sources,
        trust=trust[trust["model"].isin(tried)],
        runs=store.runs(),
        datasets=datasets[datasets["dataset"].isin(settings["dataset"])],
        failures=failures,
        attempts=store.attempts(),
        images_per_second=images_per_second(tall, datasets, forward).reindex(tried),
        intervals=intervals(tall),
        by_seed=seed_values(tall),
    )


def _labelled(stored: Frame, settings: Frame) -> Frame:
    """The rows with their labels; text as categories, for grouping text itself is slow.

    Args:
        stored: Rows of the store.
        settings: Their settings in the order in which they come, with labels.
    """
    place = stored.groupby(SETTING, sort=False, observed=True, dropna=False).ngroup()
    codes, labels = pd.factorize(settings["label"])
    return stored.assign(
        label=pd.Categorical.from_codes(codes[place], labels),
        model=stored["model"].astype("category"),
    )


def _accuracies(stored: Frame) -> tuple[Frame, dict[str, str]]:
    truth = (stored["benchmark"] + "_" + stored["metric"]).rename("truth")
    wide = stored.pivot_table(index="model", columns=truth, values="value")
    sources = {
        str(name): "; ".join(sorted(set(of_truth["source"].dropna().astype(str))))
        for name, of_truth in stored.groupby(truth)
    }
    return wide, sources
