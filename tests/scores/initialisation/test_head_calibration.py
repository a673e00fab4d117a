import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.scores.initialisation.data import clouds
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.spectra import centred_svd
from zoo_eval.scores import head_calibration
from zoo_eval.scores.initialisation._spread import bootstrapped_answers


def test_equals_scipy():
    z, labels = clouds()
    answers = bootstrapped_answers(centred_svd(z), labels, shots=10, steps=100, heads=10, seed=0)
    expected = spearmanr(answers.spread, answers.errors).statistic
    found = head_calibration(embeddings=z, labels=labels)
    assert found == pytest.approx(expected, rel=1e-9)


def test_heads_differ_where_they_are_wrong_if_classes_overlap_in_part():
    z, labels = clouds(per_class=50, signal=1.5)
    assert head_calibration(embeddings=z, labels=labels) > 0.3


def test_unchanged_by_scale_and_class_names():
    z, labels = clouds()
    found = head_calibration(embeddings=z, labels=labels)
    again = head_calibration(embeddings=8 * z, labels=labels * 3 + 2)
    assert again == pytest.approx(found, rel=1e-6)


def test_equal_spreads_are_undefined():
    # Without a step, and with embeddings that differ in sign alone, all spreads are equal.
    z, labels = np.tile([[1.0], [-1.0]], (20, 1)), np.arange(40) % 2
    with pytest.raises(ScoreUndefinedError, match=r"of the heads is .* for all 20 images"):
        head_calibration(embeddings=z, labels=labels, heads=2, steps=0)
    with pytest.raises(ScoreUndefinedError, match=r"0 of 2 classes have more than 20; .* has 20"):
        head_calibration(embeddings=z, labels=labels, shots=20)
