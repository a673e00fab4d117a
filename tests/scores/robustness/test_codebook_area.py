import numpy as np
import pytest

from tests.scores.robustness.by_hand import quantise
from zoo_eval.scores.robustness.codebook_area import codebook_area


def test_about_that_of_copies_quantised_by_scikit_learn(trained):
    # Another k-means, in other local optima: on a point or two of the images they may differ.
    kept = [trained.agreement(quantise(bits)) for bits in (4, 3, 2, 1)]
    expected = np.trapezoid([1.0, 1.0, *kept], dx=1) / 5
    assert codebook_area(**trained.givens()) == pytest.approx(expected, abs=0.05)


def test_by_every_measure_something_is_lost_and_something_left(trained):
    for measure in ("agreement", "fidelity", "cka", "accuracy"):
        assert 0.1 < codebook_area(**trained.givens("head_labels"), measure=measure) < 1


def test_the_error_of_a_codebook_is_not_that_of_noise(trained):
    found = codebook_area(**trained.givens(), measure="fidelity")
    assert codebook_area(**trained.givens(), measure="fidelity", control=True) != found
