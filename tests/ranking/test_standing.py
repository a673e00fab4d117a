import math

import numpy as np
import pytest

from zoo_eval.ranking.evidence import Evidence
from zoo_eval.ranking.standing import separation, standing

LABELS = np.repeat(np.arange(4), 50)


def evidence(values) -> Evidence:
    values = np.asarray(values, np.float64)
    return Evidence(values, values > -0.5)


def noisy(mean: float, seed: int, spread: float = 1.0, n: int = 200) -> Evidence:
    values = np.random.default_rng(seed).normal(mean, spread, n)
    return evidence(values - values.mean() + mean)


def test_constant_differences_are_certain():
    found = standing(
        {m: evidence(np.full(200, v)) for m, v in {"a": -1.0, "b": -0.2, "c": -3.0}.items()},
        LABELS,
        2,
    )
    assert found.models == ("b", "a", "c")
    assert found.value == pytest.approx((-0.2, -1.0, -3.0))
    assert found.chance_top == (1.0, 1.0, 0.0)
    assert found.chance_best == (1.0, 0.0, 0.0)
    assert found.group == (1, 2, 3)


def test_a_difference_of_a_class_alone_is_no_chance():
    """Resampling keeps the number of images of each class, so classes' means do not vary."""
    by_class = evidence(np.array([0.0, -1.0, -2.0, -3.0])[LABELS])
    slightly_worse = evidence(by_class.log_likelihood[::-1].copy() - 1e-6)
    found = standing({"a": by_class, "b": slightly_worse}, LABELS, 1)
    assert found.chance_best == (1.0, 0.0)


def test_chances_are_those_of_the_normal_distribution():
    """Of a paired difference with known mean and spread: P(better) = Φ(δ √n / s)."""
    base = np.zeros(200)
    difference = noisy(0.1, 3).log_likelihood
    found = standing({"a": evidence(base), "b": evidence(difference)}, LABELS, 1)
    within = difference - np.array([difference[c == LABELS].mean() for c in range(4)])[LABELS]
    z = 0.1 * math.sqrt(200) / within.std()
    assert found.models == ("b", "a")
    assert found.chance_best[0] == pytest.approx(0.5 * (1 + math.erf(z / math.sqrt(2))), abs=0.03)
    assert found.group == (1, 1)


def test_chances_of_the_top_sum_to_its_size():
    found = standing({f"m{i}": noisy(-0.05 * i, i) for i in range(8)}, LABELS, 3)
    assert sum(found.chance_top) == pytest.approx(3)
    assert sum(found.chance_best) == pytest.approx(1)


def test_the_same_evidence_gives_the_same_standing_whatever_its_order():
    some = {f"m{i}": noisy(-0.05 * i, i) for i in range(5)}
    assert standing(dict(reversed(some.items())), LABELS, 2) == standing(some, LABELS, 2)


def test_the_predicted_number_of_images_does_separate():
    """Simulated: with n + more images a 95 % interval leaves out 0 in about 8 of 10 cases."""
    generator = np.random.default_rng(0)
    spread, mean = 1.0, 0.08
    values = generator.normal(0, spread, 200)
    values += mean - values.mean()
    pair = {"a": evidence(values), "b": evidence(np.zeros(200))}
    found = separation(pair, LABELS, standing(pair, LABELS, 1))
    assert found is not None
    assert (found.first, found.second) == ("a", "b")
    assert found.more_images is not None
    needed = 200 + found.more_images
    draws = generator.normal(mean, spread, (2000, needed)).mean(axis=1)
    power = np.mean(draws > 1.96 * spread / math.sqrt(needed))
    assert power == pytest.approx(0.8, abs=0.05)


def test_nothing_separates_equal_networks_and_told_apart_ones_need_no_more():
    same = {"a": noisy(0.0, 1), "b": noisy(0.0, 1)}
    found = separation(same, LABELS, standing(same, LABELS, 1))
    assert found is not None
    assert found.more_images is None
    apart = {"a": evidence(np.zeros(200)), "b": evidence(np.full(200, -1.0))}
    found = separation(apart, LABELS, standing(apart, LABELS, 1))
    assert found is not None
    assert found.more_images == 0
    alone = {"a": noisy(0.0, 1)}
    assert separation(alone, LABELS, standing(alone, LABELS, 1)) is None
