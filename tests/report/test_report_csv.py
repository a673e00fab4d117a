"""CSV is what pandas writes, to the byte."""

import numpy as np
import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from zoo_eval.report.csv_text import csv_text


@given(st.lists(st.floats(), min_size=1))
@example([1e-4, 1e-5, 9.999999999999999e-5, 1e10, 9999999999.5, 1e15, 1e16, 123456789012345678.0])
@example([0.1 + 0.2, 1 / 3, 5e-324, -0.0, 0.0, 1.0, -2.0, 1e22, np.inf, -np.inf, np.nan])
def test_numbers_are_those_of_python(numbers):
    table = pd.DataFrame({"value": numbers}, pd.RangeIndex(len(numbers), name="place"))
    assert csv_text(table) == table.to_csv()


def test_any_column_is_that_of_pandas():
    index = pd.Index(['with "quotes"', "with, comma", "with\nline", "", "plain"], name="model")
    table = pd.DataFrame(
        {
            "text": ["a", None, 'b"', "c,d", ""],
            "mixed": pd.Series([True, 1, 0.5, None, "x"], index, object),
            "whole": [1, 2, 3, 4, 5],
            "maybe": pd.array([1, None, 3, 4, 5], "Int64"),
            "kind": pd.Categorical(["x", "y", None, "x", "y"]),
            "with, comma": [0.1, np.nan, 1e-9, 3.0, 1e300],
        },
        index,
    )
    assert csv_text(table) == table.to_csv()


def test_a_table_without_lines_is_its_head():
    table = pd.DataFrame({"a": [1.5], "b": ["x"]}, pd.Index(["m"], name="model")).head(0)
    assert csv_text(table) == "model,a,b\n"


def test_more_lines_than_are_written_at_a_time():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(1234, 2)), columns=["a", "b"])
    table.index.name = "model"
    assert csv_text(table) == table.to_csv()
