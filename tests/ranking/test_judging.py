"""Judging ends when the time does."""

import math

import numpy as np

from zoo_eval.ranking.judging import judge

LABELS = np.arange(30) % 3
GENERATOR = np.random.default_rng(0)
CLOUDS = {name: GENERATOR.normal(size=(30, 4)) + np.eye(3, 4)[LABELS] * 2 for name in "abcd"}


class Clock:
    """Each network takes ten seconds, of so many that are left."""

    def __init__(self, left: float) -> None:
        self.left = left

    def embeddings(self, model: str) -> np.ndarray:
        self.left -= 10
        return CLOUDS[model]

    def judged(self) -> list[str]:
        return sorted(judge("abcd", self.embeddings, LABELS, 3, 2, lambda: self.left).order)


def test_networks_are_judged_while_there_is_time_for_them():
    assert Clock(math.inf).judged() == ["a", "b", "c", "d"]
    assert Clock(40).judged() == ["a", "b", "c", "d"]
    assert Clock(25).judged() == ["a", "b"]


def test_the_first_is_always_judged():
    assert Clock(0).judged() == ["a"]


def test_accuracies_are_of_those_judged():
    found = judge("abcd", Clock(0).embeddings, LABELS, 3, 2, iter([5.0, 0.0, -1.0]).__next__)
    assert [*found.accuracies] == ["a"]
