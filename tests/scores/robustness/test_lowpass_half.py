import pytest
import torch

from tests.scores.robustness.test_curve import swept
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.robustness._curve import half_level
from zoo_eval.scores.robustness.lowpass_half import lowpass_half
from zoo_eval.transforms.lowpass import lowpassed


def test_straight_lines_between_levels():
    sweep = swept([1, 0.5, 0.25], [0.9, 0.7, 0.3], [0.4, 0.1, 0], none=1.5)
    assert half_level(sweep, "agreement") == pytest.approx(0.25 + 0.25 * (0.5 - 0.3) / 0.4)
    # From 1 at 1.5 to 0.4 at 1.
    assert half_level(sweep, "agreement", control=True) == pytest.approx(1.5 - 0.5 * 0.5 / 0.6)


def test_the_mildest_of_several_and_the_strongest_if_there_is_none():
    assert half_level(swept([1, 0.5, 0.25], [0.5, 0.9, 0.1], none=1.5), "agreement") == 1
    assert half_level(swept([1, 0.5, 0.25], [0.9, 0.9, 0.6], none=1.5), "agreement") == 0.25


def test_nothing_has_no_half():
    with pytest.raises(ScoreUndefinedError, match="accuracy of the untouched network is 0"):
        half_level(swept([1.0], [1.0], accuracy=0.0), "accuracy")


def test_about_half_of_what_was_right_is_right_at_that_radius(trained):
    given = trained.givens("head_labels")
    radius = lowpass_half(**given)
    assert 0.1 < radius < 1
    batch = torch.cat(list(lowpassed([trained.batch], radius)))
    found = (trained.classes_of(trained.model, batch) == trained.labels).mean()
    whole = (trained.classes == trained.labels).mean()
    assert found / whole == pytest.approx(0.5, abs=0.2)  # accuracy is no straight line there
