"""How good a score is at finding the best models: a table of recall, regret and nDCG."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from zoo_eval.correlation.aligned import align, columns_of
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.spearman import spearman_rho
from zoo_eval.correlation.top import ndcg_at, regret_at, top_recall
from zoo_eval.errors import InputError

KS = ("1", "5", "10", "10%", "100%")
_K = re.compile(r"(?P<number>[1-9][0-9]*)(?P<share>%?)")


@dataclass
class Line:
    """One score and one k; the fields are the columns, explained in `at_the_top`."""

    score: str
    higher_is_better: bool | None
    n: int
    k: str
    models: int = 0
    recall: float = math.nan
    regret: float = math.nan
    ndcg: float = math.nan
    undefined_because: str = ""


def at_the_top(
    scores_wide: pd.DataFrame,
    truth: pd.Series,
    *,
    higher_is_better: Mapping[str, bool] | None,
    ks: Sequence[str] = KS,
) -> pd.DataFrame:
    """Recall, regret and nDCG of the k models that each score puts on top.

    See `top_recall`, `regret_at` and `ndcg_at` for the definitions. Each score is judged on the
    models that have both it and the accuracy.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        truth: Accuracy by model.
        higher_is_better: Which end of each score is the top. None takes the sign of its ρ on these
            models: what a score can do once its sign is known, a little too good if it is not.
        ks: Numbers of models (`"5"`) or shares of them (`"10%"`, rounded, at least 1).

    Returns:
        A line for each score and k: `score`, `higher_is_better`, `n`, `k`, `models` (k as a
        number), `recall`, `regret` (in the unit of the accuracy), `ndcg`, `undefined_because`.

    Raises:
        InputError: a model or a score occurs twice, a score's direction is not given, or a k is
            neither a number nor a share.
    """
    known = align(scores_wide.index, truth, pd.Series(dtype=object))
    values = columns_of(scores_wide, known)
    missing = [name for name in values if higher_is_better and name not in higher_is_better]
    if missing:
        raise InputError(f"higher_is_better needs every score, but lacks {', '.join(missing)}.")
    lines: list[Line] = []
    for name, column in values.items():
        kept = column == column
        x, y = column[kept], known.values[kept]
        why = why_undefined(x, y)
        higher = None if higher_is_better is None else higher_is_better[name]
        if higher is None and not why:
            higher = spearman_rho(x, y) >= 0
        towards = x if higher else -x
        for k in ks:
            line = Line(name, higher, len(y), k, _models(k, len(y)), undefined_because=why)
            if not why and line.models > len(y):
                line.undefined_because = f"only {len(y)} models have it"
            if not line.undefined_because:
                line.recall = top_recall(towards, y, line.models)
                line.regret = regret_at(towards, y, line.models)
                line.ndcg = ndcg_at(towards, y, line.models)
            lines.append(line)
    return pd.DataFrame([vars(line) for line in lines], columns=list(Line.__dataclass_fields__))


def _models(k: str, n: int) -> int:
    match = _K.fullmatch(k)
    number = int(match["number"]) if match else 0
    if match is None or (match["share"] and number > 100):
        raise InputError(f"k is a number of models or a share of them like 10%, not {k!r}.")
    return max(round(number * n / 100), 1) if match["share"] else number
