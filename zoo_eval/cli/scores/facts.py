"""What is shown of a score, in tables, definitions and JSON alike."""

import difflib

from zoo_eval.errors import InputError
from zoo_eval.scores import POOL_SCORES, SCORES, PoolScore, Score

_BETTER = {True: "higher", False: "lower", None: "not claimed"}


def facts(score: Score | PoolScore) -> dict[str, str]:
    """Facts by name, each a string."""
    pooled = isinstance(score, PoolScore)
    options = {} if pooled else score.options
    weights = "any" if pooled or score.weights is None else ", ".join(score.weights)
    return {
        "name": score.name,
        "group": score.group,
        "kind": "pool score" if pooled else "score",
        "summary": score.summary,
        "unit": score.unit,
        "better": _BETTER[score.higher_is_better],
        "needs": ", ".join(score.parts if pooled else score.needs),
        "options": ", ".join(f"{key}={value!r}" for key, value in options.items()),
        "weights": "as its parts" if pooled else weights,
        "cost": "that of its parts" if pooled else score.cost,
        "paper": (score.references or [""])[0],
    }


def all_scores() -> list[Score | PoolScore]:
    """Every score, by group and name; in each group the pool scores last."""
    found: list[Score | PoolScore] = [*SCORES.values(), *POOL_SCORES.values()]
    return sorted(found, key=lambda score: (score.group, isinstance(score, PoolScore), score.name))


def score_named(name: str) -> Score | PoolScore:
    """A score or pool score by name.

    Raises:
        InputError: there is none.
    """
    found = SCORES.get(name) or POOL_SCORES.get(name)
    if found is None:
        near = difflib.get_close_matches(name, [*SCORES, *POOL_SCORES], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(f"There is no score {name!r}; `zoo-eval scores` lists them.{hint}")
    return found
