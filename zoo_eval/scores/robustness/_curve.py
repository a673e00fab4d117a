"""What a sweep amounts to in one number."""

import numpy as np

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.response import Response
from zoo_eval.quantities.sweep import Sweep

_MEASURES = ("agreement", "fidelity", "cka", "accuracy")
_POINT = 0.01


def area(sweep: Sweep, measure: str, control: bool = False) -> float:
    """Mean of a measure over the levels, by trapezoids on the transform's axis.

    Args:
        sweep: The responses.
        measure: `"agreement"`, `"fidelity"`, `"cka"` or `"accuracy"`.
        control: Whether of the random change in place of the transform.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, and the head does not know the dataset's classes.
    """
    responses = sweep.controls if control else sweep.transformed
    values = [_value(one, measure) for one in responses]
    places = [sweep.transform.place(level) for level in sweep.transform.levels]
    mean = np.trapezoid(values, places) / (places[-1] - places[0])
    return float(mean) + 0.0  # 0 / negative width is −0


def tolerance(sweep: Sweep, measure: str, control: bool = False) -> float:
    """The strongest level up to which less than one point of a measure is lost at every level.

    Returns:
        That level; where the mildest one loses more, the one at which nothing changes.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, and the head does not know the dataset's classes.
    """
    responses = sweep.controls if control else sweep.transformed
    whole = _value(sweep.untouched, measure)
    reached = sweep.transform.none
    for level, one in zip(sweep.transform.levels, responses, strict=True):
        if whole - _value(one, measure) >= _POINT:
            break
        reached = level
    return float(reached)


def half_level(sweep: Sweep, measure: str, control: bool = False) -> float:
    """The mildest level at which half of a measure is left, by straight lines between levels.

    Returns:
        That level; where more is left even of the strongest, the strongest.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, and the head does not know the dataset's classes; or nothing
            is there to be halved.
    """
    responses = sweep.controls if control else sweep.transformed
    before, left = sweep.transform.none, _value(sweep.untouched, measure)
    half = left / 2
    if half == 0:
        raise ScoreUndefinedError(f"The {measure} of the untouched network is 0: it has no half.")
    for level, one in zip(sweep.transform.levels, responses, strict=True):
        value = _value(one, measure)
        if value <= half:
            return float(before + (level - before) * (left - half) / (left - value))
        before, left = level, value
    return float(before)


def _value(response: Response, measure: str) -> float:
    if measure not in _MEASURES:
        raise InputError(f"measure must be one of {', '.join(_MEASURES)}, but is {measure!r}.")
    value: float | None = getattr(response, measure)
    if value is None:
        raise ScoreUndefinedError(
            "Accuracy needs a network whose classes include the dataset's, which this one's do "
            "not. The other measures need no labels."
        )
    return value
