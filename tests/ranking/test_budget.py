"""How the time of a race is shared, by a clock that a test winds."""

import math

import pytest

from zoo_eval import Manifest
from zoo_eval.ranking.budget import FIRST_SHARE, Budget
from zoo_eval.ranking.forecast import START_S, first_judging, judging_of

LINES = Manifest.load("fashion").lines


class Clock:
    """Stands still until it is set."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def learnt(clock: Clock, seconds: float = 60.0, judging: float = 0.0) -> Budget:
    """A budget that has seen networks take two seconds each, on one worker, and one judging."""
    budget = Budget(seconds, 1, clock)
    for line in LINES[:5]:
        budget.evaluated(line, 100, 2.0)
    budget.judged(5, 100, judging)
    return budget


def test_the_first_round_leaves_time_for_others(clock):
    budget = Budget(100.0, 2, clock)
    assert budget.round_until(3, 100, 0, share=FIRST_SHARE) == 1000.0 + FIRST_SHARE * 100
    assert budget.round_until(3, 100, 0) == 1100.0


def test_a_round_ends_early_enough_to_be_judged(clock):
    budget = learnt(clock, judging=5.0)  # a second for each network of 100 images
    assert budget.round_until(3, 100, 10) == pytest.approx(1060.0 - 3.0)
    # Ten times the images take more than ten times as long.
    assert 1060.0 - 60.0 < budget.round_until(3, 1000, 10) < 1060.0 - 30.0
    # A first round that takes longest to judge ends before its share.
    assert budget.round_until(30, 100, 10, share=0.6) == pytest.approx(1030.0)


def test_without_labels_nothing_is_judged(clock):
    assert learnt(clock, judging=5.0).round_until(50, 1000, 0) == 1060.0


def test_only_what_fits_begins(clock):
    budget = learnt(clock)
    until = budget.round_until(61, 100, 10)
    clock.now = 1040.0
    n = budget.that_fit(LINES, 100, until)
    assert n == math.floor((20 - START_S) / 2)
    clock.now = 1059.0
    assert budget.that_fit(LINES, 100, until) == 0
    clock.now = 1070.0
    assert budget.that_fit(LINES, 100, until) == 0
    assert budget.spent == 70.0


def test_without_a_budget_all_fit(clock):
    budget = learnt(clock, math.inf, judging=5.0)
    until = budget.round_until(61, 10_000, 10, share=FIRST_SHARE)
    assert until == math.inf
    assert budget.that_fit(LINES, 10_000, until) == len(LINES)


def test_a_guess_of_what_judging_takes_leaves_half_of_the_time(clock):
    """Of 5,000 classes nobody knows before; a race that computed nothing would help nobody."""
    budget = Budget(100.0, 2, clock)
    assert budget.round_until(61, 10_000, 5000, share=0.6) == 1060.0
    assert budget.round_until(61, 10_000, 5000) == 1050.0
    few = first_judging(10).seconds(61, 100)
    assert budget.round_until(61, 100, 10) == pytest.approx(1100.0 - few)


def test_judging_grows_faster_than_images_until_they_are_as_many_as_features():
    seen = judging_of(10, 100, 4.0)
    assert seen.seconds(10, 100) == pytest.approx(4.0)
    assert seen.seconds(5, 100) == pytest.approx(2.0)
    assert 5 * seen.seconds(1, 200) < seen.seconds(1, 1000) < 10 * seen.seconds(1, 200)
    assert seen.seconds(1, 20_000) == pytest.approx(2 * seen.seconds(1, 10_000))
    assert first_judging(1000).per_image > 10 * first_judging(10).per_image
