import pytest

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.response import Response
from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores.robustness._curve import area, tolerance
from zoo_eval.transforms.transform import Transform


def _not_called(*_):
    raise AssertionError


def swept(levels, agreements, controls=(), *, none=0.0, logarithmic=False, accuracy=None):
    def responses(values):
        return tuple(Response(float(v), v / 2, v / 4, accuracy) for v in values)

    transform = Transform(_not_called, tuple(map(float, levels)), float(none), logarithmic)
    untouched = Response(1.0, 1.0, 1.0, accuracy)
    return Sweep(transform, untouched, responses(agreements), responses(controls))


def test_area_by_hand():
    # Trapezoids 1 wide and 2 wide: (1 + 0.8) / 2 + 2 (0.8 + 0.2) / 2 = 1.9 of 3.
    assert area(swept([0, 1, 3], [1, 0.8, 0.2]), "agreement") == pytest.approx(1.9 / 3)
    assert area(swept([3, 1, 0], [1, 0.8, 0.2]), "agreement") == pytest.approx((1.8 + 0.5) / 3)
    assert area(swept([1, 2, 8], [1, 0.8, 0.2], logarithmic=True), "agreement") == pytest.approx(
        1.9 / 3
    )


def test_an_area_of_nothing_has_no_minus():
    assert str(area(swept([3, 1, 0], [0, 0, 0]), "agreement")) == "0.0"


def test_each_measure_and_the_control():
    sweep = swept([0, 1], [1, 0.5], [1, 0.1], accuracy=0.3)
    assert area(sweep, "agreement") == 0.75
    assert area(sweep, "fidelity") == 0.375
    assert area(sweep, "cka") == 0.1875
    assert area(sweep, "accuracy") == pytest.approx(0.3)
    assert area(sweep, "agreement", control=True) == pytest.approx(0.55)


def test_tolerance_stops_at_the_first_level_that_loses_a_point():
    levels = [6, 5, 4, 3]
    assert tolerance(swept(levels, [1, 0.995, 0.98, 1], none=32), "agreement") == 5
    assert tolerance(swept(levels, [0.5, 1, 1, 1], none=32), "agreement") == 32
    assert tolerance(swept(levels, [1, 1, 1, 0.9901], none=32), "agreement") == 3
    assert tolerance(swept([1], [1], [0.98], none=0), "agreement", control=True) == 0


def test_accuracy_is_compared_with_that_of_the_untouched_network():
    assert tolerance(swept([1, 2], [0, 0], accuracy=0.4), "accuracy") == 2


def test_refusals():
    with pytest.raises(InputError, match="agreement, fidelity, cka, accuracy, but is 'kl'"):
        area(swept([0, 1], [1, 1]), "kl")
    for read in (area, tolerance):
        with pytest.raises(ScoreUndefinedError, match="Accuracy needs a network whose classes"):
            read(swept([0, 1], [1, 1]), "accuracy")
