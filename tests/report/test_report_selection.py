"""Rows of a table, chosen and ordered."""

import numpy as np
import pandas as pd
import pytest

from zoo_eval.report.selection import Condition, containing, fulfilling, ordered

TABLE = pd.DataFrame(
    {
        "family": ["b", None, "A", "b"],
        "size": [2.0, np.nan, 1.0, 3.0],
        "kind": ["x", "", None, "a"],
    },
    index=["net1", "net2", "odd[3]", "net4"],
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("size", "<=", 2.0), ["net1", "odd[3]"]),
        (("size", ">=", -np.inf), ["net1", "odd[3]", "net4"]),
        (("size", "<", 2.0), ["odd[3]"]),
        (("size", ">", 2.0), ["net4"]),
        (("size", "!=", 2.0), ["odd[3]", "net4"]),
        (("family", "=", "b"), ["net1", "net4"]),
        (("family", "!=", "b"), ["odd[3]"]),
        (("family", "=", "None"), []),
    ],
)
def test_a_missing_cell_fulfils_nothing(condition, expected):
    assert fulfilling(TABLE, [Condition(*condition)]).index.tolist() == expected


def test_all_conditions_must_hold():
    both = [Condition("family", "=", "b"), Condition("size", ">", 2.0)]
    assert fulfilling(TABLE, both).index.tolist() == ["net4"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("NET", ["net1", "net2", "net4"]), ("a", ["odd[3]"]), ("[3", ["odd[3]"]), ("None", [])],
)
def test_a_text_is_part_of_the_name_or_the_family(text, expected):
    names = TABLE.index.to_series()
    assert containing(TABLE, names, text).index.tolist() == expected


def test_missing_cells_come_last_both_ways():
    for falling, expected in (
        (True, ["net4", "net1", "odd[3]"]),
        (False, ["odd[3]", "net1", "net4"]),
    ):
        assert ordered(TABLE, [(TABLE["size"], falling)]).index.tolist() == [*expected, "net2"]
    # A text that is empty is missing; equal cells stay as they were.
    assert ordered(TABLE, [(TABLE["kind"], False)]).index.tolist() == [
        *("net4", "net1", "net2", "odd[3]"),
    ]


def test_the_first_column_counts_most():
    keys = [(TABLE["family"], False), (TABLE["size"], True)]
    assert ordered(TABLE, keys).index.tolist() == ["odd[3]", "net4", "net1", "net2"]
