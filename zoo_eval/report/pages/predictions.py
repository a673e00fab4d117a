"""Accuracy as predicted from the scores, and whether that beats size."""

import math

import numpy as np

from zoo_eval.correlation.prediction import ALL, MOST_FEATURES, Prediction
from zoo_eval.report import formats
from zoo_eval.report.frames import Frame, records_of
from zoo_eval.report.pages.figure import PageFigure
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.plots import Axes, scatter
from zoo_eval.report.pages.score_figures import grouped
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.predictions import METHODS, Predictions
from zoo_eval.report.tables import Cell, Column, Row, Table

_MOST_MODELS = 200
_MOST_FEATURES = 20
_WHAT = {
    "ridge": "a regularised sum of smooth curves, one per feature",
    "trees": "gradient-boosted trees",
}


def predictions_page(
    zoo: Zoo,
    found: Predictions | None,
    links: Links,
    method: str = METHODS[0],
    *,
    failed: bool = False,
) -> str:
    """The page.

    Args:
        zoo: What is known.
        found: What was predicted; None: that is being computed.
        links: Where the other pages lie.
        method: Whose predictions to show.
        failed: Whether computing them failed.
    """
    chosen = found.found.get(method) if found else None
    return page(
        "predictions.html.jinja",
        zoo,
        links,
        here="predictions",
        title="Predictions",
        pending=bool(zoo.truth) and found is None,
        failed=failed,
        why_none=_why_none(zoo, found),
        verdicts=[(name, one.beats_size, one.verdict) for name, one in found.found.items()]
        if found
        else [],
        method=method,
        what=_WHAT[method],
        most=MOST_FEATURES,
        others=[(name, links.predictions(name)) for name in METHODS],
        quality=_quality(chosen) if chosen else None,
        coverage=_coverage(chosen) if chosen else "",
        figure=_figure(zoo, chosen) if chosen else None,
        importance=_importance(zoo, chosen, links) if chosen else None,
        models=_models(zoo, chosen, links) if chosen else None,
    )


def _why_none(zoo: Zoo, found: Predictions | None) -> str:
    if not zoo.truth:
        return "No model has an accuracy in the store, so there is nothing to predict."
    return f"Nothing is predicted. {found.why_none}" if found and found.why_none else ""


def _quality(found: Prediction) -> Table:
    columns = (
        Column("Features", numeric=False),
        Column("How many"),
        Column("Mean absolute error", "in the unit of the accuracy"),
        Column("Gain of all features", "how much larger the error is than that of all features"),
        Column("ρ", "rank correlation of prediction and accuracy"),
        Column("R²", "share of the variance that is predicted"),
        Column("All features win", "the interval of the gain lies above 0", numeric=False),
    )
    rows = [
        Row(
            (
                Cell(str(name)),
                Cell(str(line.features), float(line.features)),
                Cell(formats.fixed(line.mae, 4), line.mae),
                _signed(line.gain, line.gain_low, line.gain_high),
                Cell(formats.fixed(line.rho), line.rho),
                Cell(formats.fixed(line.r2), line.r2),
                Cell("" if name == ALL else "yes" if line.gain_low > 0 else "no"),
            )
        )
        for name, line in records_of(found.quality)
    ]
    caption = "All features against sizes alone, on the same folds; 95 % intervals by family"
    return Table("quality", caption, columns, tuple(rows), sortable=False)


def _signed(value: float, low: float, high: float) -> Cell:
    if math.isnan(value):
        return Cell("")
    ends = f"{formats.fixed(low, 4)} to {formats.fixed(high, 4)}"
    return Cell(f"{formats.fixed(value, 4)} ({ends})", value)


def _coverage(found: Prediction) -> str:
    """Whether the intervals hold what they promise."""
    models: Frame = found.models
    unbounded = int((~np.isfinite(models[["low", "high"]])).any(axis=1).sum())
    if unbounded:
        return (
            f"The intervals of {unbounded} of {len(models)} models have no ends: there are too few "
            f"families for intervals of {found.level:.0%}."
        )
    width = float((models["high"] - models["low"]).mean())
    return (
        f"The intervals are to hold the accuracy of {found.level:.0%} of the models of a new "
        f"family. They hold that of {formats.share(found.coverage)}, the mean over families "
        f"({formats.share(found.coverage_of_models)} of all models), and are {width:.3f} wide on "
        "average."
    )


def _figure(zoo: Zoo, found: Prediction) -> PageFigure:
    models: Frame = found.models
    x, y = (models[name].to_numpy(np.float64) for name in ("predicted", "accuracy"))
    axes = Axes(f"predicted {zoo.truth}", zoo.truth)
    quality: Frame = found.quality
    rho = formats.fixed(float(quality.at[ALL, "rho"]))
    about = f"ρ = {rho}, {len(models):,} models, each predicted from models of other families."
    plot = scatter(grouped(zoo, models, x, y), axes)
    return PageFigure("predicted", f"{zoo.truth} against its prediction", about, plot)


def _importance(zoo: Zoo, found: Prediction, links: Links) -> Table:
    columns = (
        Column("Feature", numeric=False),
        Column("Importance", "rise of the mean absolute error when the feature is shuffled"),
        Column("Least", "over the folds"),
        Column("Most", "over the folds"),
    )
    shown = found.importance.head(_MOST_FEATURES)
    rows = tuple(
        Row(
            (
                Cell(
                    str(feature),
                    href=links.score(str(feature)) if str(feature) in zoo.data.scores else "",
                ),
                *(
                    Cell(formats.fixed(value, 5), value)
                    for value in (line.importance, line.lowest, line.highest)
                ),
            )
        )
        for feature, line in records_of(shown)
    )
    left = len(found.importance) - len(rows)
    more = f"; {left} more matter less" if left else ""
    caption = f"Rise of the error when a feature is shuffled among held-out models{more}"
    return Table("importance", caption, columns, rows, left)


def _models(zoo: Zoo, found: Prediction, links: Links) -> Table:
    """The models, the most accurate first; a model outside its interval is marked."""
    columns = (
        Column("Model", numeric=False),
        Column("Family", numeric=False),
        Column(zoo.truth, "accuracy"),
        Column("Predicted"),
        Column("Interval", f"{found.level:.0%}, conformal"),
        Column("Error", "accuracy less prediction"),
    )
    shown = found.models.sort_values("accuracy", ascending=False, kind="stable")
    rows: list[Row] = []
    for model, line in records_of(shown[:_MOST_MODELS]):
        error = line.accuracy - line.predicted
        outside = not line.low <= line.accuracy <= line.high
        cells = (
            Cell(str(model), href=links.model(str(model))),
            Cell(str(line.family)),
            Cell(formats.fixed(line.accuracy), line.accuracy),
            Cell(formats.fixed(line.predicted), line.predicted),
            Cell(_ends(line.low, line.high), line.high - line.low),
            Cell(formats.fixed(error), error),
        )
        rows.append(Row(cells, "outside its interval" if outside else ""))
    left = len(shown) - len(rows)
    more = f"; {left:,} more are in the API" if left and links.live else ""
    more = more or (f"; {left:,} more are in predictions.csv" if left else "")
    caption = f"Models by {zoo.truth}, each predicted by a regression blind to its family{more}"
    return Table("predictions", caption, columns, tuple(rows), left)


def _ends(low: float, high: float) -> str:
    return f"{_end(low)} to {_end(high)}"


def _end(value: float) -> str:
    return formats.fixed(value) if math.isfinite(value) else "no end"
