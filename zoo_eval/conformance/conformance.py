"""Runs all checks on a score."""

from collections.abc import Iterable, Mapping
from typing import Any

from zoo_eval.conformance import array_checks, arrays, declaration, network_checks, pool_checks
from zoo_eval.conformance.check import Check, Finding, Options, S, Violation
from zoo_eval.conformance.networks import NETWORKS
from zoo_eval.declarations import itself
from zoo_eval.errors import ConformanceError, InputError
from zoo_eval.quantities import QUANTITIES
from zoo_eval.scores import OptionValue, PoolScore, Score


def check_score(
    score: object,  # anything, to be able to say what it should be
    *,
    options: Mapping[str, OptionValue] | None = None,
    only: str | None = None,
) -> list[Finding]:
    """Check that a score keeps what every score of the library promises.

    It says what a reader must know; on small hard inputs it gives a finite value within its
    bounds or a reason why not, without a warning; the same inputs give the same value; and it
    leaves inputs, networks and random generators as they were. Whether the number is the right
    one is for the score's own tests to show.

    Args:
        score: A function decorated with `@score` or `@pool_score`.
        options: Options of the score to check it with, other than the defaults.
        only: Name of one check, or the beginning of several names; default: all.

    Returns:
        What was checked, and what was seen.

    Raises:
        ConformanceError: at least one check failed; the message lists each with what was seen
            and a line that shows it again.
        InputError: not a score, an option that it does not have, or no such check.
    """
    score = _a_score(score)
    findings = examine(score, options=options, only=only)
    failed = [finding for finding in findings if not finding.passed]
    if failed:
        lines = [f"{score.name} fails {len(failed)} of {len(findings)} checks:"]
        for finding in failed:
            lines += ["", f"{finding.name}: {finding.promise}.", f"  seen: {finding.seen}"]
            lines += [f"  again: {finding.again}"]
        raise ConformanceError("\n".join(lines))
    return findings


def examine(
    score: object,
    *,
    options: Mapping[str, OptionValue] | None = None,
    only: str | None = None,
) -> list[Finding]:
    """The same, but a check that fails is a finding like the others."""
    score = _a_score(score)
    given = dict(options or {})
    if isinstance(score, PoolScore):
        if given:
            raise InputError(f"{score.name} is a pool score, and these have no options.")
        return _examine(score, given, _chosen(checks_of_pool_score(score), only))
    score.with_defaults(given)
    return _examine(score, given, _chosen(checks_of(score), only))


def checks_of(score: Score) -> tuple[Check[Score], ...]:
    """The checks that apply to a score, in the order in which they are run."""
    try:
        score.givens()
    except InputError:  # nothing can be computed; `declaration.needs` says why
        return declaration.OF_SCORES
    if array_checks.is_from_arrays(score):
        return (*declaration.OF_SCORES, *array_checks.checks_of(score))
    return (*declaration.OF_SCORES, *network_checks.CHECKS)


def checks_of_pool_score(score: PoolScore) -> tuple[Check[PoolScore], ...]:
    """The checks that apply to a pool score."""
    if any(part not in pool_checks.SCORES for part in score.parts) or not score.parts:
        return declaration.OF_POOL_SCORES
    return (*declaration.OF_POOL_SCORES, *pool_checks.CHECKS)


def inputs(score: object, case: str) -> dict[str, Any]:
    """What a check gives to a score, to call it by hand: `score(**inputs(score, "duplicates"))`.

    Args:
        score: The score.
        case: Name of a dataset, a network or, for a pool score, a pool.

    Raises:
        InputError: not a score, or no such case for it.
    """
    score = _a_score(score)
    if isinstance(score, PoolScore):
        return dict(pool_checks.POOLS[_known(case, pool_checks.POOLS)](score))
    if array_checks.is_from_arrays(score):
        return array_checks.inputs(score, arrays.CASES[_known(case, arrays.CASES)]())
    return network_checks.inputs(score, _known(case, NETWORKS))


def _a_score(score: object) -> Score | PoolScore:
    if isinstance(score, (Score, PoolScore)):
        for computed in (score, *QUANTITIES.values()):
            itself(computed.function)  # now: an import would look like the score's own doing
        return score
    if callable(score) and not isinstance(score, type):
        name = getattr(score, "__name__", "…")
        raise InputError(
            f"{name} is a plain function. Make it a score: from zoo_eval.scores import score; "
            f'@score(unit="…", higher_is_better=True) above `def {name}`.'
        )
    raise InputError(
        f"A score is needed, a function decorated with @score, but this is a "
        f"{type(score).__name__}. `zoo-eval scores new NAME` writes one to begin with."
    )


def _known(case: str, cases: Iterable[str]) -> str:
    if case not in cases:
        raise InputError(f"There is no case {case!r} here; there are: {', '.join(cases)}.")
    return case


def _chosen(checks: tuple[Check[S], ...], only: str | None) -> list[Check[S]]:
    chosen = [
        check
        for check in checks
        if only is None or check.name == only or check.name.startswith(f"{only}.")
    ]
    if not chosen:
        names = ", ".join(check.name for check in checks)
        raise InputError(f"There is no check {only!r} of this score; there are: {names}.")
    return chosen


def _examine(score: S, options: Options, checks: Iterable[Check[S]]) -> list[Finding]:
    return [_finding(score, options, check) for check in checks]


def _finding(score: S, options: Options, check: Check[S]) -> Finding:
    try:
        seen, passed = check.run(score, options), True
    except Violation as violation:
        seen, passed = str(violation), False
    return Finding(check.name, check.promise, passed, seen, _again(score, options, check))


def _again(score: S, options: Options, check: Check[S]) -> str:
    name: str = getattr(score, "name", "score")
    if check.case is not None:
        given = "".join(f", {key}={value!r}" for key, value in options.items())
        return f'{name}(**zoo_eval.conformance.inputs({name}, "{check.case}"){given})'
    given = f", options={dict(options)!r}" if options else ""
    return f'zoo_eval.check_score({name}, only="{check.name}"{given})'
