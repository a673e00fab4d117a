"""A query is the same after it was written into an address and read again."""

import math
from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st

from zoo_eval.report.pages.query import LeaderboardQuery, Range, parse_query

NUMERIC = ("top1", "params", "dse[k=2, on=a&b]", "min:odd")
TEXTS = ("family", "licence")

ends = st.floats(allow_nan=False, allow_infinity=False)
limits = st.tuples(st.sampled_from(NUMERIC), ends, ends, st.integers(0, 2))
queries = st.fixed_dictionaries(
    {
        "text": st.text().map(str.strip),
        "family": st.text().filter(lambda text: text == "" or text.strip()),
        "columns": st.lists(st.sampled_from(["model", *NUMERIC, *TEXTS]), unique=True).map(tuple),
        "sort": st.sampled_from(["", "model", *NUMERIC, *TEXTS]),
        "descending": st.booleans(),
        "page": st.integers(1, 1_000_000),
        "rows": st.integers(1, 500),
    }
)


def range_of(column, a, b, open_end):
    low = -math.inf if open_end == 1 else min(a, b)
    return Range(column, low, math.inf if open_end == 2 else max(a, b))


@settings(deadline=None)
@given(queries, st.lists(limits, unique_by=lambda each: each[0]))
def test_a_query_survives_its_address(given_query, given_limits):
    ranges = tuple(range_of(*each) for each in given_limits)
    query = LeaderboardQuery(**given_query, ranges=ranges)
    pairs = parse_qsl(query.to_string(), keep_blank_values=True)
    asked = parse_query(pairs, NUMERIC, TEXTS)
    assert asked.problems == ()
    assert asked.query == query


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=6))
def test_any_address_can_be_read(pairs):
    query = parse_query(pairs, NUMERIC, TEXTS).query
    assert 1 <= query.rows <= 500


def test_the_default_has_no_address():
    assert LeaderboardQuery().to_string() == ""


def test_what_cannot_be_read_is_named_and_left_out():
    pairs = [
        ("column", "params"),
        ("column", "nosuch"),
        ("sort", "nosuch"),
        ("order", "upwards"),
        ("min:params", "many"),
        ("min:family", "1"),
        ("min:top1", "0.9"),
        ("max:top1", "0.5"),
        ("page", "0"),
        ("rows", "1e3"),
        ("colour", "red"),
        ("q", " deit "),
    ]
    asked = parse_query(pairs, NUMERIC, TEXTS)
    assert asked.query == LeaderboardQuery(text="deit", columns=("params",))
    assert asked.problems == (
        "There is no column 'nosuch'.",
        "min of params must be a number, but is 'many'.",
        "There is no column of numbers 'family' to limit.",
        "'colour' is nothing that the leaderboard can be asked for.",
        "top1 cannot be at least 0.9 and at most 0.5.",
        "There is no column 'nosuch' to sort by.",
        "The order must be ascending or descending, but is 'upwards'.",
        "page must be a whole number from 1 to 1,000,000, but is '0'.",
        "rows must be a whole number from 1 to 500, but is '1e3'.",
    )


def test_empty_fields_of_a_form_are_not_given():
    pairs = [("q", ""), ("family", ""), ("min:params", " "), ("max:params", "2e6"), ("page", "")]
    asked = parse_query(pairs, NUMERIC, TEXTS)
    assert asked.problems == ()
    assert asked.query == LeaderboardQuery(ranges=(Range("params", high=2e6),))


def test_a_real_minus_sign_is_a_minus_sign():
    asked = parse_query([("min:params", "−2.5")], NUMERIC, TEXTS)
    assert asked.query.ranges == (Range("params", low=-2.5),)
