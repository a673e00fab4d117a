"""Checks of scores that take the network itself."""

from collections.abc import Callable
from typing import Any

from zoo_eval.conformance.calling import PROMISE, Outcome, compute, outcome
from zoo_eval.conformance.check import Check, Options, Violation
from zoo_eval.conformance.networks import NETWORKS, FuseBlown, build, givens
from zoo_eval.conformance.process import seed_generators
from zoo_eval.conformance.trace import differences, snapshot
from zoo_eval.quantities import closure
from zoo_eval.scores import Score

_INTERRUPTED_AT = (1, 2, 3)  # forward passes; a fault between two of them hides at the first
_SHOWN = 3

Run = Callable[[Score, Options], str]


def inputs(score: Score, network: str, blows_at: int | None = None) -> dict[str, Any]:
    """The network of this name and what else a score asks for."""
    needed = closure(score.needs)
    return {k: v for k, v in givens(build(network, blows_at)).items() if k in needed}


def _value(network: str) -> Run:
    def run(score: Score, options: Options) -> str:
        return str(outcome(score, inputs(score, network), options))

    return run


def _untouched(network: str) -> Run:
    def run(score: Score, options: Options) -> str:
        given = inputs(score, network)
        before = snapshot(given)
        outcome(score, given, options)
        _must_be_the_same(differences(before, snapshot(given)), "")
        return "no trace"

    return run


def _interrupted(network: str) -> Run:
    def run(score: Score, options: Options) -> str:
        passes = 0
        for blows_at in _INTERRUPTED_AT:
            given = inputs(score, network, blows_at)
            before = snapshot(given)
            try:
                compute(score, given, options)
            except FuseBlown:
                blown = True
            except Exception:  # it may say in its own words that the network failed
                blown = True
            else:
                blown = False
            what = f" after an exception in forward pass {blows_at}" if blown else ""
            _must_be_the_same(differences(before, snapshot(given)), what)
            if not blown:
                break
            passes = blows_at
        return f"no trace, interrupted in {passes or 'no'} forward pass{'es' * (passes > 1)}"

    return run


def _must_be_the_same(changed: list[str], after: str) -> None:
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise Violation(f"changed{after}: {', '.join(changed[:_SHOWN])}{more}")


def _repeatable(network: str) -> Run:
    def run(score: Score, options: Options) -> str:
        found: list[Outcome] = []
        for seed in range(2):
            seed_generators(seed)
            found.append(outcome(score, inputs(score, network), options))
        if found[0] != found[1]:
            values = f"{found[0].value!r}, then {found[1].value!r}"
            raise Violation(f"{values} after the global generators were set to another seed")
        return "the same"

    return run


def _has_a_value(score: Score, options: Options) -> str:
    reasons: list[str] = []
    for network in NETWORKS:
        found = outcome(score, inputs(score, network), options)
        if found.value is not None:
            return f"{found} for {network}"
        reasons.append(found.reason)
    raise Violation(f"undefined for all {len(reasons)}, the first because: {reasons[0]}")


def _checks_on(network: str) -> tuple[Check[Score], ...]:
    name = f"networks.{network}"
    about = (NETWORKS[network].__doc__ or "").partition("\n")[0].rstrip(".")
    return (
        Check(name, f"{about}: {PROMISE}", _value(network), case=network),
        Check(f"{name}.untouched", "no trace in network, images, torch", _untouched(network)),
        Check(f"{name}.interrupted", "no trace if a forward pass raises", _interrupted(network)),
    )


_REPEATED = ("tokens", "partly_frozen")  # with attention; with dropout, in train mode as given
CHECKS: tuple[Check[Score], ...] = (
    *(check for network in NETWORKS for check in _checks_on(network)),
    *(
        Check(
            f"networks.{network}.repeatable",
            "the same value again, whatever the global random generators' seeds",
            _repeatable(network),
        )
        for network in _REPEATED
    ),
    Check("networks.has_a_value", "at least one of the networks has a value", _has_a_value),
)
