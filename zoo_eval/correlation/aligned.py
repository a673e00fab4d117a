"""Score, accuracy and family of the same models, side by side in one order."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from zoo_eval.errors import InputError

# Scores of the same models that one thread takes at once: what they share costs as much as one.
_AT_ONCE = 64


@dataclass(frozen=True)
class Truth:
    """The accuracy that scores are judged by.

    Attributes:
        models: Models with a known accuracy, in the order of the scores' frame.
        values: Their accuracies.
        families: Their families; a model without one is a family of its own.
    """

    models: pd.Index
    values: Float[np.ndarray, " n"]
    families: Sequence[Hashable]

    def families_of(self, kept: Bool[np.ndarray, " n"]) -> list[Hashable]:
        """Families of some of the models."""
        return [family for family, keep in zip(self.families, kept, strict=True) if keep]


def align(models: pd.Index, truth: pd.Series, families: pd.Series) -> Truth:
    """Look up accuracy and family of each model, leaving out models without an accuracy.

    Raises:
        InputError: a model occurs twice in one of the three.
    """
    check_distinct("models of the scores", models)
    check_distinct("models of the truth", truth.index)
    check_distinct("models of the families", families.index)
    values = numbers(truth.reindex(models))
    known = ~np.isnan(values)
    kept = models[known]
    found: list[Any] = families.reindex(kept).tolist()
    own = [(model,) if pd.isna(f) else f for model, f in zip(kept, found, strict=True)]
    return Truth(kept, values[known], own)


def columns_of(scores_wide: pd.DataFrame, known: Truth) -> dict[str, Float[np.ndarray, " n"]]:
    """Each score on the models with an accuracy, by the text of its name.

    Raises:
        InputError: two scores have the same name.
    """
    names = scores_wide.columns.map(str)
    check_distinct("columns of the scores", names)
    matrix = scores_wide.loc[known.models].to_numpy(dtype=np.float64, na_value=np.nan)
    return dict(zip(names, matrix.T.copy(), strict=True))


def same_models(
    values: Mapping[str, Float[np.ndarray, " n"]],
) -> Iterator[dict[str, Float[np.ndarray, " n"]]]:
    """Scores grouped by which models have them, large groups in parts."""
    groups: dict[bytes, list[str]] = {}
    for name, column in values.items():
        groups.setdefault(np.isnan(column).tobytes(), []).append(name)
    for names in groups.values():
        for first in range(0, len(names), _AT_ONCE):
            yield {name: values[name] for name in names[first : first + _AT_ONCE]}


def check_distinct(what: str, names: pd.Index) -> None:
    """Refuse names of which one occurs twice.

    Raises:
        InputError: it does.
    """
    name, times = next(iter(Counter(names).most_common(1)), ("", 0))
    if times > 1:
        raise InputError(f"The {what} must be distinct, but {name!r} occurs {times} times.")


def numbers(column: pd.Series) -> Float[np.ndarray, " n"]:
    """A column as float64, missing values as NaN, whatever kind of column it is."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
