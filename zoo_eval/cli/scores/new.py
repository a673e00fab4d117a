"""`zoo-eval scores new`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kind(StrEnum):
    """What a new score is computed from."""

    EMBEDDINGS = "embeddings"
    NETWORK = "network"


_GROUPS = {Kind.EMBEDDINGS: "transfer", Kind.NETWORK: "zero_cost"}
_PUBLISH = """\
To use it in jobs and reports, make it part of a package with, in its pyproject.toml,
  [project.entry-points."zoo_eval.scores"]
  {name} = "{name}"
and install that package: `zoo-eval scores` then lists it."""


def new(
    name: Annotated[
        str, typer.Argument(help="Its name, in lower case: mean_cosine.", metavar="NAME")
    ],
    group: Annotated[
        str | None,
        typer.Option(help="In a checkout of zoo_eval: its group; default transfer or zero_cost."),
    ] = None,
    kind: Annotated[Kind, typer.Option(help="What it is computed from.")] = Kind.EMBEDDINGS,
    into: Annotated[
        Path | None, typer.Option(help="Folder to write to; default: the current one.")
    ] = None,
) -> None:
    """Write a score and its test to begin with.

    Both work as they are: run the test, then change what is marked CHANGE. In a checkout of
    zoo_eval they go where its scores and tests are; nothing that exists is overwritten.
    """
    from zoo_eval.cli.scores.skeleton import choose_place, must_be_free, write

    place = choose_place(name, group or _GROUPS[kind], into, group_was_asked=group is not None)
    must_be_free(name, place)
    write(name, kind, place)
    print(f"Wrote {place.score}\n      {place.test}\n")
    print("Run the test, which passes as it is; then change what is marked CHANGE:")
    print(f"  pytest {place.test}")
    if place.in_checkout:
        print("Nothing has to be registered: any file there is found.")
        print(f"  zoo-eval scores check {name}")
        return
    print("What every score promises, in a list:")
    print(f"  {_in_folder(place.score.parent)}zoo-eval scores check {name}:{name}")
    print(_PUBLISH.format(name=name))


def _in_folder(folder: Path) -> str:
    return "" if folder == Path() else f"cd {folder} && "
