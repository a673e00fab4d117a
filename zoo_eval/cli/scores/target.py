"""Finds the score that a person names on the command line."""

import importlib
import sys
from pathlib import Path

from zoo_eval.cli.scores.facts import score_named
from zoo_eval.errors import InputError
from zoo_eval.scores import PoolScore, Score


def find_score(target: str) -> Score | PoolScore:
    """An installed score by name, or any by MODULE:FUNCTION; the current folder is searched too.

    Raises:
        InputError: there is no such score, or its module cannot be imported.
    """
    if ":" in target:
        module, _, function = target.partition(":")
        return _in_module(module, function)
    path = Path(target if target.endswith(".py") else f"{target}.py")
    if path.is_file():
        where = "" if path.parent == Path() else f" in the folder {path.parent}"
        raise InputError(
            f"{target!r} is a file; write `zoo-eval scores check {path.stem}:{path.stem}`{where}."
        )
    return score_named(target)


def _in_module(module_name: str, function: str) -> Score | PoolScore:
    sys.path.insert(0, "")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # it is somebody's code, which can do anything
        lines = str(error).strip().splitlines() or ["without a message"]
        raise InputError(
            f"{module_name!r} cannot be imported: {type(error).__name__}: {lines[0]}"
        ) from error
    finally:
        sys.path.remove("")
    found = getattr(module, function, None)
    if isinstance(found, (Score, PoolScore)):
        return found
    scores = [name for name, it in vars(module).items() if isinstance(it, (Score, PoolScore))]
    there = f"there is {', '.join(scores)}" if scores else "nothing there is decorated with @score"
    raise InputError(f"{module_name}:{function} is not a score; {there}.")
