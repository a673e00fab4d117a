"""Results in one DuckDB file."""

from zoo_eval.store.arrays import ArrayFolder, ArrayKey
from zoo_eval.store.rows import (
    Attempt,
    DatasetRow,
    EmbeddingsRow,
    Failure,
    ModelRow,
    Outcome,
    RunRow,
    ScoreKey,
    ScoreRow,
    Trust,
)
from zoo_eval.store.store import Store

__all__ = [
    "ArrayFolder",
    "ArrayKey",
    "Attempt",
    "DatasetRow",
    "EmbeddingsRow",
    "Failure",
    "ModelRow",
    "Outcome",
    "RunRow",
    "ScoreKey",
    "ScoreRow",
    "Store",
    "Trust",
]
