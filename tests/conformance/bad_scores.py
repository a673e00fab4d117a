"""Scores that each break a promise, to see that the checks see it."""

from zoo_eval.scores import pool_score, score

DOCSTRING = """Something of the embeddings.

References:
    Nobody, "Nothing", https://example.org/nothing
"""


def as_score(function, docstring=DOCSTRING, **declared):
    """A score in all but what the test is about."""
    function.__doc__ = docstring
    return score(**{"unit": "x", "higher_is_better": None, **declared})(function)


def as_pool_score(function):
    function.__doc__ = DOCSTRING
    return pool_score(unit="x", higher_is_better=True)(function)


def failed(findings):
    """Names of the checks that failed."""
    return {finding.name for finding in findings if not finding.passed}


def seen(findings, name):
    """What the check of this name saw."""
    return next(finding.seen for finding in findings if finding.name == name)
