"""`zoo-eval fetch JOB`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from zoo_eval.cli.options import JsonOption, LimitOption, WeightsBudgetOption
from zoo_eval.cli.stopping import EXIT_FAILED_MODELS

if TYPE_CHECKING:
    from zoo_eval.manifest import ModelLine
    from zoo_eval.models.published.cache import WeightsCache


def fetch(
    job: Annotated[str, typer.Argument(help="A builtin job (quickstart, …) or a TOML file.")],
    weights_budget: WeightsBudgetOption = None,
    limit: LimitOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Download nothing; name what is not there, if any.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Download the published weights of a job ahead of its run.

    Stops where the budget is full; the run fetches the rest as it goes. Exit code 0: all is there,
    or as much as the budget lets in; 2: with --check, something is missing; 3: some downloads
    failed.
    """
    from zoo_eval.byte_size import parse_size
    from zoo_eval.job import Job
    from zoo_eval.models.published.cache import WeightsCache
    from zoo_eval.models.published.cached import require_offline

    budget = None if weights_budget is None else parse_size(weights_budget)
    loaded = Job.load(job)
    lines = loaded.manifest.lines[:limit] if "pretrained" in loaded.weights else ()
    lines = [line for line in lines if line.weights_file is None]
    if check:
        require_offline(lines)
        text = f"The weights of all {len(lines)} models are here."
        _say(as_json, {"models": len(lines), "missing": 0}, text)
        return
    with WeightsCache(budget) as cache:
        n_here, failed = _fetch(lines, cache, quiet=as_json)
    report: dict[str, object] = {
        "models": len(lines),
        "here": n_here,
        "downloaded": cache.n_downloads,
        "downloaded_bytes": cache.bytes_downloaded,
        "failed": failed,
    }
    _say(as_json, report, _summary(len(lines), n_here, len(failed), cache))
    if failed:
        raise typer.Exit(EXIT_FAILED_MODELS)


def _fetch(
    lines: "list[ModelLine]", cache: "WeightsCache", *, quiet: bool
) -> tuple[int, dict[str, str]]:
    """How many are here in the end, and why others are not.

    Everything stays pinned, so that the last do not push out the first.
    """
    from zoo_eval.byte_size import size_text
    from zoo_eval.errors import BudgetError, WeightsError

    n_here, failed = 0, dict[str, str]()
    for place, line in enumerate(lines, 1):
        before = cache.n_downloads
        try:
            path = cache.hold(line)
        except BudgetError as full:
            if not quiet:
                print(f"Stopped before {line.model}: {full}.")
            break
        except WeightsError as error:
            failed[line.model] = str(error)
            ending = f"failed: {error}"
        else:
            n_here += 1
            size = size_text(path.stat().st_size)
            ending = size if cache.n_downloads > before else "is here"
        if not quiet:
            print(f"[{place}/{len(lines)}] {line.model}: {ending}", flush=True)
    return n_here, failed


def _summary(n_models: int, n_here: int, n_failed: int, cache: "WeightsCache") -> str:
    from zoo_eval.byte_size import size_text

    if not n_models:
        return "Nothing to fetch: the job needs no published weights."
    left = n_models - n_here - n_failed
    return (
        f"The weights of {n_here} of {n_models} models are here; {cache.n_downloads} files, "
        f"{size_text(cache.bytes_downloaded)}, were downloaded"
        + (f"; {n_failed} failed" if n_failed else "")
        + (f"; {left} are left for the run" if left else "")
        + "."
    )


def _say(as_json: bool, report: dict[str, object], text: str) -> None:
    print(json.dumps(report) if as_json else text)
