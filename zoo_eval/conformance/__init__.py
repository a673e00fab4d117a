"""Checks that every score must pass, ours and anyone's: `zoo_eval.check_score`."""

from zoo_eval.conformance.check import Check, Finding, Violation
from zoo_eval.conformance.conformance import (
    check_score,
    checks_of,
    checks_of_pool_score,
    examine,
    inputs,
)

__all__ = [
    "Check",
    "Finding",
    "Violation",
    "check_score",
    "checks_of",
    "checks_of_pool_score",
    "examine",
    "inputs",
]
