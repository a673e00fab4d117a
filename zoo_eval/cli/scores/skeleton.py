"""Writes a new score and its test from the templates beside this file."""

import builtins
import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template

from zoo_eval.errors import InputError
from zoo_eval.quantities import GIVENS, QUANTITIES
from zoo_eval.scores import POOL_SCORES, SCORES

_TEMPLATES = Path(__file__).parent / "templates"
_COMMANDS = ("list", "show", "new", "check")


@dataclass(frozen=True)
class Place:
    """Where a new score goes.

    Attributes:
        score: Its file.
        test: The file of its test.
        module: How the test imports it.
        in_checkout: Whether it becomes one of zoo_eval's own.
    """

    score: Path
    test: Path
    module: str
    in_checkout: bool


def choose_place(name: str, group: str, into: Path | None, *, group_was_asked: bool) -> Place:
    """In a checkout the group's folders; elsewhere `into` or the current folder.

    Raises:
        InputError: there is no such group or folder, or there is no checkout to have groups.
    """
    scores, tests = Path("zoo_eval/scores"), Path("tests/scores")
    if into is None and scores.is_dir() and tests.is_dir():
        groups = sorted(path.parent.name for path in scores.glob("*/__init__.py"))
        if group not in groups:
            raise InputError(f"There is no group {group!r}; there are: {', '.join(groups)}.")
        return Place(
            scores / group / f"{name}.py",
            tests / group / f"test_{name}.py",
            f"zoo_eval.scores.{group}.{name}",
            in_checkout=True,
        )
    if group_was_asked:
        raise InputError(
            "--group is for a checkout of zoo_eval, whose scores are in groups. This folder has "
            "no zoo_eval/scores and tests/scores, or --into was given; leave --group out."
        )
    folder = into or Path()
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} to write to; make it first.")
    return Place(folder / f"{name}.py", folder / f"test_{name}.py", name, in_checkout=False)


def must_be_free(name: str, place: Place) -> None:
    """Check that a name can be a score's and is nobody's yet.

    Raises:
        InputError: says what is wrong, and a name that would do if there is one at hand.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise InputError(
            f"A score is named like a Python function in lower case, such as mean_cosine; "
            f"{name!r} is not.{_suggestion(name)}"
        )
    if name in SCORES or name in POOL_SCORES:
        module = {**SCORES, **POOL_SCORES}[name].__module__
        raise InputError(f"There is a score {name!r} already, in {module}; choose another name.")
    if name in GIVENS or name in QUANTITIES:
        raise InputError(f"{name!r} is what scores are computed from; choose another name.")
    if name in _COMMANDS:
        raise InputError(f"{name!r} is a command of `zoo-eval scores`; choose another name.")
    for path in (place.score, place.test):
        if path.exists():
            raise InputError(f"{path} exists, and nothing is overwritten; choose another name.")
    if _means_something(name, place):
        raise InputError(
            f"{name!r} is a module or function of Python here, which a file of that name would "
            f"hide. Choose a longer name, such as {name}_score."
        )


def write(name: str, kind: str, place: Place) -> None:
    """Write both files.

    Raises:
        InputError: the folder cannot be written to, or a file has come to exist.
    """
    imports = (
        f"from {place.module} import {name}",
        "from zoo_eval import check_score",
        "from zoo_eval.errors import ScoreUndefinedError",
    )
    values = {
        "name": name,
        "imports": "\n".join(sorted(imports)),
        "scores": "zoo_eval.scores._score" if place.in_checkout else "zoo_eval.scores",
    }
    for path, template in ((place.score, f"{kind}.py.txt"), (place.test, f"test_{kind}.py.txt")):
        text = Template((_TEMPLATES / template).read_text(encoding="utf-8")).substitute(values)
        try:
            path.parent.mkdir(exist_ok=True)
            with path.open("x", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error


def _suggestion(name: str) -> str:
    words = re.findall("[a-z0-9]+", re.sub("([a-z])([A-Z])", r"\1_\2", name).lower())
    suggested = "_".join(words).lstrip("0123456789_")
    good = suggested != name and suggested and not keyword.iskeyword(suggested)
    return f" {suggested!r} would do." if good else ""


def _means_something(name: str, place: Place) -> bool:
    if name in dir(builtins):
        return True
    if place.in_checkout:
        return False  # the file is inside a package and hides nothing
    return name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None
