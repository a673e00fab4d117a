"""Rows written from a table are those that pandas has."""

import json

import numpy as np
import pandas as pd
import pytest

from zoo_eval.service.api.answers import rows_of
from zoo_eval.service.table import RowsByModel, Table

FRAME = pd.DataFrame(
    {
        "model": ["b", "a", "a", 'c"%s\n'],
        '100 % "real"': [1.5, float("nan"), float("inf"), -0.0],
        "count": [1, 2, 3, 2**53],
        "word": pd.Categorical(["x", None, "y", "x"]),
        "trusted": pd.Series([True, None, False, True], dtype=object),
        "when": pd.to_datetime(
            ["2026-01-01", None, "2026-01-01 12:00:00.25", "2026-01-02"], format="ISO8601"
        ),
        "text": pd.Series(["é", "<b>", None, ""], dtype="str"),
    }
)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1], [2, 2], []])
@pytest.mark.parametrize("columns", [None, ["when", "model"], ['100 % "real"']])
def test_rows_are_those_of_the_frame(order, columns):
    table = Table.of(FRAME)
    wanted = FRAME.iloc[order][columns or list(FRAME)]
    written = table.json(np.array(order, dtype=int), columns)
    assert json.loads(written) == rows_of(wanted)
    _ = table.whole_rows
    assert table.json(np.array(order, dtype=int), columns) == written


def test_rows_of_some_words():
    table = Table.of(FRAME)
    assert table.among("word", ["x"]).tolist() == [True, False, False, True]
    assert table.among("model", ["a", "b", "nobody"]).tolist() == [True, True, True, False]
    assert not table.among("word", ["null"]).any()


def test_rows_of_a_model():
    rows = RowsByModel.of(FRAME.iloc[::-1])
    assert [row["count"] for row in json.loads(rows.json("a"))] == [3, 2]
    assert rows.json("nobody") == "[]"
    assert RowsByModel.of(FRAME.iloc[:0]).json("a") == "[]"
