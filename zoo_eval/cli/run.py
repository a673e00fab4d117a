"""`zoo-eval run JOB`."""

import json
import shlex
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from zoo_eval.cli.options import DEFAULT_STORE, JsonOption, LimitOption, StoreOption

if TYPE_CHECKING:
    from zoo_eval.estimate import Estimate
    from zoo_eval.runner import Prepared


class Precision(StrEnum):
    """Values of `--precision`."""

    fp32 = "fp32"
    bf16 = "bf16"
    auto = "auto"


EXIT_FAILED_MODELS = 3
EXIT_INTERRUPTED = 130


def run(
    job: Annotated[str, typer.Argument(help="A builtin job (quickstart, …) or a TOML file.")],
    store: StoreOption = DEFAULT_STORE,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; default: one per core.")
    ] = None,
    limit: LimitOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, its time and disk; do nothing.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a dataset with an unreadable image.")
    ] = False,
    precision: Annotated[
        Precision | None,
        typer.Option(help="Of the pass over the images; auto: bf16 where it is measured faster."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a job; go on where it stopped.

    What the result file has already is not computed again, so stopping is safe at any time.
    Exit code 0: all is there; 2: the job cannot be run as it is; 3: some models failed; 130:
    interrupted.
    """
    from zoo_eval.estimate import estimate
    from zoo_eval.job import Job
    from zoo_eval.runner import execute, prepare
    from zoo_eval.store import Store

    loaded = Job.load(job)
    if precision is not None:
        loaded = loaded.in_precision(precision.value)
    prepared = prepare(loaded, Store(store), limit=limit, strict=strict, workers=workers)
    if prepared.dataset.skipped and not as_json:
        _say_skipped(prepared)
    if dry_run:
        _show_plan(prepared, estimate(prepared, workers), as_json)
        return
    if not prepared.plan.units:
        _say(as_json, {"state": "nothing to do"}, _nothing_to_do(prepared, store))
        return
    if not as_json:
        print(_plan_line(prepared))
    from zoo_eval.cli.progress import progress_for

    with progress_for(prepared.plan, quiet=as_json) as on_outcome:
        command = shlex.join(_command())
        summary = execute(prepared, workers=workers, command=command, on_outcome=on_outcome)
    report: dict[str, object] = {
        "state": "interrupted" if summary.interrupted else "done",
        "ok": summary.n_ok,
        "failed": summary.n_failed,
        "left": summary.n_left,
    }
    if summary.interrupted:
        again = shlex.join(_command())
        text = (
            f"Interrupted: {summary.n_ok} networks are stored in {store}, {summary.n_left} are "
            f"left. `{again}` goes on."
        )
        _say(as_json, report, text)
        raise typer.Exit(EXIT_INTERRUPTED)
    text = f"Done: {summary.n_ok} networks evaluated, {summary.n_failed} failed; in {store}."
    if summary.n_failed:
        text += (
            f"\n`zoo-eval status --store {store}` says why; running the job again tries them again."
        )
    else:
        text += f"\nNext: `zoo-eval report --store {store}`."
    _say(as_json, report, text)
    if summary.n_failed:
        raise typer.Exit(EXIT_FAILED_MODELS)


def _command() -> list[str]:
    return ["zoo-eval", *sys.argv[1:]]


def _say(as_json: bool, report: dict[str, object], text: str) -> None:
    print(json.dumps(report) if as_json else text)


def _say_skipped(prepared: "Prepared") -> None:
    skipped = prepared.dataset.skipped
    name, reason = skipped[0]
    total = len(prepared.dataset) + len(skipped)
    print(
        f"{len(skipped)} of {total} images cannot be read and are left out, for example {name}: "
        f"{reason}. --strict refuses them.",
        file=sys.stderr,
    )


def _plan_line(prepared: "Prepared") -> str:
    plan, dataset = prepared.plan, prepared.dataset
    done = f"; {plan.n_scores_done:,} are stored already" if plan.n_scores_done else ""
    return (
        f"{prepared.job.name}: {plan.n_models} models on {dataset.label} ({len(dataset):,} images, "
        f"{len(dataset.classes)} classes), {plan.n_scores_wanted:,} score values{done}."
    )


def _nothing_to_do(prepared: "Prepared", store: object) -> str:
    return (
        f"Nothing to do: all {prepared.plan.n_scores_wanted:,} score values of "
        f"{prepared.plan.n_models} models are in {store}.\nNext: `zoo-eval report --store {store}`."
    )


def _show_plan(prepared: "Prepared", expected: "Estimate", as_json: bool) -> None:
    plan = prepared.plan
    if as_json:
        print(
            json.dumps(
                {
                    "models": plan.n_models,
                    "networks_left": len(plan.units),
                    "scores_wanted": plan.n_scores_wanted,
                    "scores_done": plan.n_scores_done,
                    "dataset": prepared.dataset.label,
                    "images": len(prepared.dataset),
                    "seconds": round(expected.seconds, 1),
                    "disk_bytes": expected.disk_bytes,
                    "download_bytes": expected.download_bytes,
                }
            )
        )
        return
    print(_plan_line(prepared))
    print(f"Left: {plan.n_scores_left:,} values on {len(plan.units)} networks.")
    print(f"Time: about {expected.time_text()} ({expected.basis}).")
    print(f"Disk: about {expected.disk_text()}.")
    for unit in plan.units[:10]:
        seed = f" seed {unit.seed}" if unit.weights != "pretrained" else ""
        print(f"  {unit.line.model}  {unit.weights}{seed}: {len(unit.scores)} scores")
    if len(plan.units) > 10:
        print(f"  … and {len(plan.units) - 10} more")
