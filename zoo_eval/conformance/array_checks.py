"""Checks of scores that are computed from arrays: embeddings, logits, labels, pixels."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from zoo_eval.conformance import arrays
from zoo_eval.conformance.calling import PROMISE, Outcome, outcome
from zoo_eval.conformance.check import Check, Options, Violation
from zoo_eval.conformance.process import process_state, seed_generators
from zoo_eval.quantities import GIVENS, check_given, closure
from zoo_eval.scores import Score

# Sums are taken in another order when classes are renamed.
_RENAMED = 1e-7
# A score may compute in float32 what it is given in float32, though none of ours does.
_PRECISION = 1e-5
_SEEDS = range(5)


def is_from_arrays(score: Score) -> bool:
    """Whether the outputs of the network are enough, or the network itself is needed."""
    return closure(score.needs, arrays.GIVEN).isdisjoint(GIVENS.keys() - arrays.GIVEN)


def inputs(score: Score, dataset: arrays.Dataset) -> dict[str, Any]:
    """The arrays of a dataset that a score asks for, copied."""
    needed = closure(score.needs, arrays.GIVEN)
    return {name: array for name, array in dataset.arrays().items() if name in needed}


def _givens(score: Score, dataset: arrays.Dataset) -> dict[str, Any]:
    """The same, with labels renumbered as in a call by keyword."""
    return {name: check_given(name, value) for name, value in inputs(score, dataset).items()}


def _case(make: Callable[[], arrays.Dataset]) -> Callable[[Score, Options], str]:
    def run(score: Score, options: Options) -> str:
        return str(outcome(score, _givens(score, make()), options))

    return run


def _has_a_value(score: Score, options: Options) -> str:
    found = outcome(score, _givens(score, arrays.ordinary()), options)
    if found.value is None:
        raise Violation(str(found))
    return str(found)


def _called_again(score: Score, options: Options) -> str:
    values = [outcome(score, _givens(score, arrays.ordinary()), options) for _ in range(2)]
    if values[0] != values[1]:
        raise Violation(f"first {values[0].value!r}, then {values[1].value!r}")
    return "the same"


def _random_generators(score: Score, options: Options) -> str:
    values: list[Outcome] = []
    for seed in range(2):
        seed_generators(seed + 1000)
        before = process_state()
        values.append(outcome(score, _givens(score, arrays.ordinary()), options))
        after = process_state()
        moved = [name for name, state in before.items() if after[name] != state]
        if moved:
            raise Violation(f"{' and '.join(moved)} changed; use a generator of your own")
    if values[0] != values[1]:
        raise Violation(f"{values[0].value!r} and {values[1].value!r} with other global seeds")
    return "neither used nor changed"


def _inputs_unchanged(score: Score, options: Options) -> str:
    given, untouched = (_givens(score, arrays.ordinary()) for _ in range(2))
    # In float64 and C order, `asarray` and `astype(copy=False)` hand over the array itself.
    outcome(score, given, options)
    changed = [
        name
        for name, value in given.items()
        if isinstance(value, np.ndarray) and not np.array_equal(value, untouched[name])
    ]
    if changed:
        raise Violation(f"{' and '.join(changed)} changed; work on a copy")
    return "unchanged"


def _precision(score: Score, options: Options) -> str:
    """The same numbers as float32 and as float64."""
    single = _as_type(_givens(score, arrays.ordinary()), np.float32)
    low, high = (
        outcome(score, _as_type(single, kind), options) for kind in (np.float32, np.float64)
    )
    _must_agree(low, high, _PRECISION, "in float32", "in float64")
    return f"{low} and {high}"


def _as_type(given: Mapping[str, Any], kind: type) -> dict[str, Any]:
    return {
        name: value.astype(kind)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
        else value
        for name, value in given.items()
    }


def _class_names(score: Score, options: Options) -> str:
    """Classes renumbered backwards; where draws go by class, they must be alike as a whole."""
    given = _givens(score, arrays.ordinary())
    renamed = {**given, "labels": given["labels"].max() - given["labels"]}
    before, after = (outcome(score, g, options) for g in (given, renamed))
    try:
        _must_agree(before, after, _RENAMED, "before", "with the classes in reverse")
    except Violation:
        if "seed" not in score.options:
            raise
        return _alike_over_seeds(score, (given, renamed), options)
    return "nothing changes"


def _alike_over_seeds(
    score: Score, inputs: tuple[Mapping[str, Any], Mapping[str, Any]], options: Options
) -> str:
    ranges: list[tuple[float, float]] = []
    for given in inputs:
        found = [outcome(score, given, {**options, "seed": seed}) for seed in _SEEDS]
        values = [one.value for one in found if one.value is not None]
        if len(values) < len(found):
            raise Violation("with some seeds it has no value")
        ranges.append((min(values), max(values)))
    (low, high), (other_low, other_high) = ranges
    seen = f"{low:.6g} to {high:.6g} before, {other_low:.6g} to {other_high:.6g} renamed"
    if max(low, other_low) > min(high, other_high):
        raise Violation(f"over {len(_SEEDS)} seeds {seen}")
    return f"other draws, but alike: over {len(_SEEDS)} seeds {seen}"


def _class_ids_with_gaps(score: Score, options: Options) -> str:
    """A call by position does not renumber them."""
    dataset = arrays.missing_class_id()
    dense = outcome(score, _givens(score, dataset), options)
    gaps = outcome(score, inputs(score, dataset), options)
    _must_agree(dense, gaps, _RENAMED, "with class ids 0 to 3", "with class ids 2, 3, 5 and 11")
    return str(gaps)


def _must_agree(
    first: Outcome, second: Outcome, tolerance: float, first_name: str, second_name: str
) -> None:
    if first.value is None or second.value is None:
        if (first.value is None) != (second.value is None):
            raise Violation(f"{first_name}: {first}; {second_name}: {second}")
        return
    if not np.isclose(first.value, second.value, rtol=tolerance, atol=tolerance):
        raise Violation(f"{first.value!r} {first_name}, {second.value!r} {second_name}")


def _summary_of(case: Callable[[], arrays.Dataset]) -> str:
    return (case.__doc__ or "").partition("\n")[0].rstrip(".")


_CASES: tuple[Check[Score], ...] = tuple(
    Check(f"arrays.{name}", f"{_summary_of(case)}: {PROMISE}", _case(case), case=name)
    for name, case in arrays.CASES.items()
)
_CALLS: tuple[Check[Score], ...] = (
    Check("arrays.has_a_value", "an ordinary dataset has a value", _has_a_value, "ordinary"),
    Check("arrays.called_again", "the same inputs give the same value", _called_again),
    Check("arrays.random_generators", "no global random generator is used", _random_generators),
    Check("arrays.inputs_unchanged", "the arrays are left as they were", _inputs_unchanged),
    Check(
        "arrays.precision",
        f"the same numbers in float32 and float64 agree to {_PRECISION:g}",
        _precision,
    ),
)
_LABELS: tuple[Check[Score], ...] = (
    Check("arrays.class_names", "renaming the classes changes nothing", _class_names),
    Check("arrays.class_ids_with_gaps", "class ids need not be 0 to C − 1", _class_ids_with_gaps),
)


def checks_of(score: Score) -> tuple[Check[Score], ...]:
    """The checks that suit what the score asks for."""
    has_labels = "labels" in closure(score.needs, arrays.GIVEN)
    return (*_CASES, *_CALLS, *(_LABELS if has_labels else ()))
