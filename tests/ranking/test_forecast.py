from dataclasses import replace

import pytest

from zoo_eval import Manifest
from zoo_eval.ranking.forecast import (
    START_S,
    Speed,
    Timed,
    corrected,
    first_speed,
    that_fit,
    weights_bytes,
)

LINES = Manifest.load("fashion").lines


def test_the_speed_behind_times_is_found():
    times = [Timed(m, n, 0.7 + 3e-9 * m * n) for m in (1e6, 2e7, 5e8) for n in (100, 400)]
    found = corrected(Speed(2.0, 1e-9), times)
    assert found.per_network == pytest.approx(0.7)
    assert found.per_mac == pytest.approx(3e-9)


def test_too_few_times_change_nothing_and_a_slope_that_is_not_seen_stays():
    before = Speed(2.0, 1e-9)
    assert corrected(before, [Timed(1e6, 10, 1.0)] * 2) == before
    falling = [Timed(1e6, 100, 3.0), Timed(2e6, 100, 2.0), Timed(3e6, 100, 1.0)]
    found = corrected(before, falling)
    assert (found.per_network, found.per_mac) == (pytest.approx(2.0), 1e-9)


def test_a_round_takes_as_long_as_its_workers_and_no_less_than_its_longest():
    speed = Speed(2.0, 0.0)
    assert speed.round_seconds(LINES[:10], 100, 2) == START_S + 10.0
    assert speed.round_seconds(LINES[:1], 100, 2) == START_S + 2.0
    assert speed.round_seconds([], 100, 2) == 0.0


@pytest.mark.parametrize(("seconds", "n"), [(0.0, 0), (6.9, 0), (7.0, 2), (9.0, 4), (1e9, 62)])
def test_as_many_networks_as_fit(seconds, n):
    """Of two workers, each network two seconds."""
    assert that_fit(LINES, Speed(2.0, 0.0), 100, 2, seconds) == LINES[:n]


def test_this_machine_multiplies_between_a_thousand_and_a_million_million_times_a_second():
    assert 1e-12 < first_speed(2).per_mac / 2 < 1e-8


def test_only_weights_that_are_not_here_are_downloaded():
    assert weights_bytes(LINES) == 0
    far = [replace(line, weights_file=None) for line in LINES]
    assert weights_bytes(far) == 4 * sum(int(line.cells["params"] or 0) for line in LINES)
