import numpy as np
import pytest

from tests.scores.robustness.by_hand import shift
from zoo_eval.scores.robustness.shift_area import shift_area


def test_that_of_copies_with_the_nearest_code_at_the_best_scale(trained):
    # The scales of a grid are a little off: some images may fall to another class.
    kept = [trained.agreement(shift(bits)) for bits in (5, 4, 3, 2)]
    expected = np.trapezoid(kept, dx=1) / 3
    assert shift_area(**trained.givens()) == pytest.approx(expected, abs=0.03)


def test_by_every_measure_something_is_lost_and_something_left(trained):
    for measure in ("agreement", "fidelity", "cka", "accuracy"):
        for control in (False, True):
            given = trained.givens("head_labels")
            assert 0.01 < shift_area(**given, measure=measure, control=control) < 1
