"""Pairs counted in blocks, against the whole matrices of signs."""

import numpy as np
import pytest

from zoo_eval.correlation.concordance import Concordance, Window


def signs(x):
    return (x[:, None] > x[None, :]).astype(int) - (x[:, None] < x[None, :])


@pytest.mark.parametrize("n_families", [1, 7, 300], ids=["one", "seven", "each its own"])
@pytest.mark.parametrize("decimals", [0, 9], ids=["ties", "no ties"])
def test_sums_are_those_of_the_product_of_the_sign_matrices(n_families, decimals):
    rng = np.random.default_rng(n_families)
    x, y = rng.normal(size=(2, 300)).round(decimals)
    families = rng.permutation(np.arange(300) % n_families)
    pairs = signs(x) * signs(y)
    found = Concordance(y, families)(x)
    np.testing.assert_array_equal(found.of_models, pairs.sum(axis=0))
    member = families == np.arange(n_families)[:, None]
    np.testing.assert_array_equal(found.of_families, member @ pairs @ member.T)


def test_a_perfect_order_of_many_models_overflows_nothing():
    # The sum over all pairs needs more than 16 bits, the sum over a block's rows more than 8.
    x = np.arange(1000.0)
    found = Concordance(x, np.zeros(1000, int))(x)
    assert (found.of_models == 999).all()
    assert found.of_families.tolist() == [[999_000]]


def test_infinities_are_values_like_any_other():
    y = np.array([0.1, 0.2, 0.3, 0.4])
    of_truth = Concordance(y, np.array([0, 1, 0, 1]))
    found = of_truth(np.array([-np.inf, 1.0, np.inf, np.inf]))
    expected = of_truth(np.array([0, 1, 2, 2]))
    np.testing.assert_array_equal(found.of_models, expected.of_models)
    np.testing.assert_array_equal(found.of_families, expected.of_families)
    assert found.of_models.tolist() == [3, 3, 2, 2]


def test_counting_again_gives_the_same():
    rng = np.random.default_rng(0)
    x, other, y = rng.normal(size=(3, 50))
    of_truth = Concordance(y, np.arange(50) % 3)
    first = of_truth(x).of_families
    of_truth(other)
    np.testing.assert_array_equal(of_truth(x).of_families, first)


def test_several_accuracies_are_counted_as_each_alone():
    rng = np.random.default_rng(1)
    truths, families = rng.normal(size=(3, 200)).round(1), rng.integers(0, 9, 200)
    for x in rng.normal(size=200).round(1), rng.normal(size=200):
        together = Concordance(truths, families)(x)
        for place, truth in enumerate(truths):
            alone = Concordance(truth, families)(x)
            np.testing.assert_array_equal(together.of_models[place], alone.of_models)
            np.testing.assert_array_equal(together.of_families[place], alone.of_families)


@pytest.mark.parametrize("decimals", [0, 9], ids=["ties", "no ties"])
def test_only_pairs_in_the_window_count(decimals):
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 150)).round(decimals)
    families, place = rng.integers(0, 5, 150), rng.permutation(150)
    apart = np.abs(place[:, None] - place) <= 20
    window = Window(place, place - 20, place + 20)
    concordance = Concordance(y, families, window)
    member = families == np.arange(5)[:, None]
    for found, pairs in (
        (concordance(x), signs(x) * signs(y) * apart),
        (concordance.untied(x), np.abs(signs(x) * signs(y)) * apart),
    ):
        np.testing.assert_array_equal(found.of_models, pairs.sum(axis=1))
        np.testing.assert_array_equal(found.of_families, member @ pairs @ member.T)
