"""What a report is made from: the store's tables, scores and accuracies turned wide."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pandas as pd

from zoo_eval.errors import ReportError
from zoo_eval.report.frames import Frame
from zoo_eval.report.labels import SETTING, Options, label_settings

# Known before any network is run. A score that does not beat them is not worth its time.
BASELINES = ("params", "macs", "activations")


@runtime_checkable
class StoreFrames(Protocol):
    """What is read from a store; `zoo_eval.Store` has it."""

    def scores(self) -> Frame:
        """Newest value of every score setting."""
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


@dataclass(frozen=True)
class ReportData:
    """Everything that a report shows or computes from; nothing of how it is shown.

    Attributes:
        scores: One row per model that was tried, one column per score label, the mean over
            seeds; NaN where undefined or never computed. The baselines are among the columns.
        columns: One row per score label: `score`, `options`, `weights`, `dataset`, `seeds` (how
            many), `seconds` (median over models).
        undefined: Why scores have no value: `score` (label), `reason`, `n_models`, `example`.
        models: Facts of the models in `scores`.
        accuracies: The same models, one column per truth, `<benchmark>_<metric>`.
        sources: Where the figures of each truth come from.
        trust: Rows of the trust gate for these models.
        runs: The store's runs.
        datasets: The datasets that the scores were computed on.
        failures: The store's failures.
    """

    scores: Frame
    columns: Frame
    undefined: Frame
    models: Frame
    accuracies: Frame
    sources: Mapping[str, str]
    trust: Frame
    runs: Frame
    datasets: Frame
    failures: Frame

    @property
    def baselines(self) -> list[str]:
        """Labels of the baselines that are known here."""
        return [name for name in BASELINES if name in self.scores.columns]


def collect(store: StoreFrames, defaults: Mapping[str, Options] | None = None) -> ReportData:
    """Read everything that a report needs.

    Args:
        store: The store.
        defaults: Default options of each score, which labels leave out; None asks the registry.

    Raises:
        ReportError: the store has no scores.
    """
    stored, failures = store.scores(), store.failures()
    if stored.empty:
        raise ReportError(
            "There is nothing to report: the store has no scores. Run `zoo-eval run JOB` first."
        )
    settings = label_settings(stored, _known_defaults(stored) if defaults is None else defaults)
    tall = stored.merge(settings, on=SETTING)
    tried = pd.Index(sorted({*tall["model"], *failures["model"]}), name="model", dtype=object)
    models = store.models().set_index("model").reindex(tried)
    wide = tall.pivot_table(index="model", columns="label", values="value", dropna=False)
    scores = wide.reindex(index=tried, columns=settings["label"].tolist())
    for name in BASELINES:
        if name not in scores.columns and name in models and models[name].notna().any():
            scores[name] = models[name].astype("float64")
    scores.columns.name = None
    accuracies, sources = _accuracies(store.accuracies())
    trust, datasets = store.trust(), store.datasets()
    return ReportData(
        scores=scores,
        columns=_columns(tall, settings).reindex(scores.columns),
        undefined=_undefined(tall),
        models=models,
        accuracies=accuracies.reindex(tried),
        sources=sources,
        trust=trust[trust["model"].isin(tried)],
        runs=store.runs(),
        datasets=datasets[datasets["dataset"].isin(tall["dataset"])],
        failures=failures,
    )


def _known_defaults(stored: Frame) -> Mapping[str, Options]:
    """Defaults from the registry, which is not even imported if no score has an option."""
    if stored["options"].isin(["", "{}"]).all():
        return {}
    from zoo_eval.scores import SCORES  # imports torch, which takes seconds

    return {name: score.options for name, score in SCORES.items()}


def _columns(tall: Frame, settings: Frame) -> Frame:
    by_label = tall.groupby("label")
    facts = settings.set_index("label")
    facts["seeds"] = by_label["seed"].nunique()
    facts["seconds"] = by_label["seconds"].median()
    return facts


def _undefined(tall: Frame) -> Frame:
    """Reasons of the models for which no seed gave a value, the most frequent first."""
    without = tall.groupby(["label", "model"])["value"].transform("count") == 0
    rows = tall[without].drop_duplicates(["label", "model"])
    reasons = rows.groupby(["label", "undefined_because"], as_index=False, dropna=False).agg(
        n_models=("model", "size"), example=("model", "min")
    )
    reasons = reasons.rename(columns={"label": "score", "undefined_because": "reason"})
    return reasons.sort_values(
        ["score", "n_models", "reason"], ascending=[True, False, True], ignore_index=True
    )


def _accuracies(stored: Frame) -> tuple[Frame, dict[str, str]]:
    truth = (stored["benchmark"] + "_" + stored["metric"]).rename("truth")
    wide = stored.pivot_table(index="model", columns=truth, values="value")
    sources = {
        str(name): "; ".join(sorted(set(of_truth["source"].dropna().astype(str))))
        for name, of_truth in stored.groupby(truth)
    }
    return wide, sources
