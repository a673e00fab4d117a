"""How each model stands in each score: computed once for all models."""

from dataclasses import dataclass

import numpy as np

from zoo_eval.report import ReportData
from zoo_eval.report.frames import Frame
from zoo_eval.scores import POOL_SCORES, SCORES

_SETTING = ["score", "options", "weights", "dataset"]


def better(score: str) -> str:
    """Which values of a score are the better ones, by the literature; higher if it claims none."""
    declared = SCORES.get(score) or POOL_SCORES.get(score)
    lower = declared is not None and declared.higher_is_better is False
    return "lower" if lower else "higher"


@dataclass(frozen=True)
class Standings:
    """Models by rows, score labels by columns.

    Attributes:
        better: By label, `higher` or `lower`.
        ranks: 1 is the best; ties share the better rank; NaN without a value.
        percentiles: Share of the other models that are worse, in %.
        reasons: By model and label, why there is no value.
    """

    better: dict[str, str]
    ranks: Frame
    percentiles: Frame
    reasons: dict[tuple[str, str], str]

    @classmethod
    def of(cls, data: ReportData, values: Frame) -> "Standings":
        """The standings of a report's models.

        Args:
            data: The scores.
            values: Newest rows of the store, with the reasons.
        """
        names = data.columns["score"]
        ways = {str(label): better(str(names[label])) for label in data.scores.columns}
        signs = np.array([1.0 if way == "higher" else -1.0 for way in ways.values()])
        signed = data.scores * signs
        others = signed.count() - 1
        worse = signed.rank(method="min") - 1
        return cls(
            better=ways,
            ranks=(-signed).rank(method="min"),
            percentiles=100 * worse / others.where(others > 0),
            reasons=_reasons(data, values),
        )


def _reasons(data: ReportData, values: Frame) -> dict[tuple[str, str], str]:
    labels = {
        tuple(map(str, setting)): str(label)
        for label, *setting in data.columns[_SETTING].itertuples(name=None)
    }
    rows = values.loc[values["value"].isna(), ["model", "undefined_because", *_SETTING]]
    return {
        (str(model), labels[setting]): str(why)
        for model, why, *cells in rows.itertuples(index=False, name=None)
        if (setting := tuple(map(str, cells))) in labels
    }
