"""Axes: the scale that shows all values, and round ticks on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.report.axis import axis_of


def test_a_linear_axis_has_round_ticks_where_the_values_lie():
    values = np.linspace(0.7, 0.92, 50)
    axis = axis_of(values)
    assert axis.scale == ""
    assert [label for _, label in axis.ticks] == ["0.70", "0.75", "0.80", "0.85", "0.90"]
    for position, label in axis.ticks:
        assert position == pytest.approx(np.interp(float(label), values, axis.positions), abs=1e-9)


def test_positive_values_over_decades_are_shown_on_a_log_scale():
    axis = axis_of(np.array([2e6, 1e7, 3e8]))
    assert axis.scale == "log scale"
    assert [label for _, label in axis.ticks] == ["10M", "100M"]
    # Equal ratios are equal distances.
    axis = axis_of(np.array([1.0, 10.0, 1000.0, 10000.0]))
    steps = np.diff(axis.positions)
    np.testing.assert_allclose(steps / steps[0], [1, 2, 1], rtol=1e-9)


def test_many_decades_have_few_ticks():
    axis = axis_of(np.array([1e-12, 1.0, 1e60]))
    assert 3 <= len(axis.ticks) <= 6


def test_heavy_tails_are_shown_as_ranks():
    values = np.concatenate([np.linspace(-1, 1, 60), [-1e6, 1e9]])
    axis = axis_of(values)
    assert axis.scale == "rank"
    assert np.ptp(np.diff(np.sort(axis.positions))) < 1e-9


def test_one_value_lies_in_the_middle():
    axis = axis_of(np.full(4, 0.25))
    assert axis.positions.tolist() == [0.5] * 4
    assert axis.ticks == ((0.5, "0.25"),)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_positions_are_in_the_frame_and_keep_the_order(values):
    values = np.array(values)
    axis = axis_of(values)
    assert (axis.positions >= 0).all()
    assert (axis.positions <= 1).all()
    assert (np.diff(axis.positions[np.argsort(values)]) >= -1e-12).all()
    assert all(0 <= position <= 1 for position, _ in axis.ticks)
    assert len(axis.ticks) <= 8
