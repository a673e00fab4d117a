"""What `zoo-eval run` and `zoo-eval retry` have in common."""

import json
import shlex
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from zoo_eval.cli.stopping import EXIT_FAILED_MODELS, EXIT_INTERRUPTED, stop_in_order

if TYPE_CHECKING:
    from zoo_eval.executors.process import Limits
    from zoo_eval.files import Files
    from zoo_eval.runner import Prepared, RunSummary
    from zoo_eval.store import Store


@dataclass(frozen=True)
class Wishes:
    """The options that both commands have; see there."""

    job: str
    store: Path
    workers: int | None
    limit: int | None
    strict: bool
    precision: Literal["fp32", "bf16", "auto"] | None
    time_limit: float
    memory_limit: str | None
    offline: bool
    weights_budget: str | None
    keep_arrays: bool
    arrays: str | None
    executor: Literal["local", "ray"]
    address: str | None
    as_json: bool


def carry_out(wishes: Wishes, retry: Collection[str] | None = None) -> None:
    """Plan, do it, and say what came of it.

    Args:
        wishes: The command's options.
        retry: Do only what failed before, in one of these ways.
    """
    from zoo_eval.executors.process import Limits
    from zoo_eval.files import Files
    from zoo_eval.store import Store
    from zoo_eval.store.lock import one_run

    if wishes.address is not None and wishes.executor == "local":
        raise typer.BadParameter("--address is for --executor ray.")
    limits = Limits(time_s=wishes.time_limit, memory=_bytes(wishes.memory_limit))
    files = Files(
        offline=wishes.offline,
        weights_budget=_bytes(wishes.weights_budget),
        keep_arrays=wishes.keep_arrays,
        arrays=wishes.arrays,
    )
    stop_in_order()
    store = Store(wishes.store)
    try:
        with one_run(store):
            prepared = prepare_for(wishes, store, retry)
            if retry is not None and not prepared.plan.units:
                _say(wishes, {"state": "nothing to do"}, "Nothing to try again.")
                return
            summary = _execute(wishes, prepared, limits, files)
    except KeyboardInterrupt:
        _say(wishes, {"state": "interrupted"}, "Interrupted before the first network.")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if summary is not None:
        _say_summary(wishes, summary)
    if prepared.plan.left_out or (summary is not None and summary.n_failed):
        raise typer.Exit(EXIT_FAILED_MODELS)


def prepare_for(wishes: Wishes, store: "Store", retry: Collection[str] | None) -> "Prepared":
    """The plan that the options ask for."""
    from zoo_eval.cli.plan_text import say_skipped
    from zoo_eval.job import Job
    from zoo_eval.runner import prepare

    job = Job.load(wishes.job)
    if wishes.precision is not None:
        job = job.in_precision(wishes.precision)
    prepared = prepare(
        job,
        store,
        limit=wishes.limit,
        strict=wishes.strict,
        workers=wishes.workers,
        retry=retry,
    )
    if prepared.dataset.skipped and not wishes.as_json:
        say_skipped(prepared)
    return prepared


def _execute(
    wishes: Wishes, prepared: "Prepared", limits: "Limits", files: "Files"
) -> "RunSummary | None":
    from zoo_eval.cli.plan_text import left_out_line, nothing_to_do, plan_line
    from zoo_eval.cli.progress import progress_for
    from zoo_eval.executors.choice import Where
    from zoo_eval.runner import execute

    left_out = left_out_line(prepared, _retry_command(wishes))
    if not prepared.plan.units:
        text = left_out or nothing_to_do(prepared, wishes.store)
        left = len(prepared.plan.left_out)
        _say(wishes, {"state": "nothing to do", "left_out": left}, text)
        return None
    if not wishes.as_json:
        print("\n".join(filter(None, (plan_line(prepared), left_out))))
    with progress_for(prepared.plan, quiet=wishes.as_json) as on_outcome:
        return execute(
            prepared,
            workers=wishes.workers,
            limits=limits,
            files=files,
            where=Where(wishes.executor, wishes.address),
            command=shlex.join(_command()),
            on_outcome=on_outcome,
        )


def _bytes(size: str | None) -> int | None:
    from zoo_eval.byte_size import parse_size

    return None if size is None else parse_size(size)


def _say_summary(wishes: Wishes, summary: "RunSummary") -> None:
    store = wishes.store
    report: dict[str, object] = {
        "state": "interrupted" if summary.interrupted else "done",
        "ok": summary.n_ok,
        "failed": summary.n_failed,
        "left": summary.n_left,
        "set_aside": summary.set_aside,
    }
    if summary.interrupted:
        again = shlex.join(_command())
        text = (
            f"Interrupted: {summary.n_ok} networks are stored in {store}, {summary.n_left} are "
            f"left. `{again}` goes on."
        )
        _say(wishes, report, text)
        raise typer.Exit(EXIT_INTERRUPTED)
    text = f"Done: {summary.n_ok} networks evaluated, {summary.n_failed} failed; in {store}."
    if summary.set_aside:
        names = ", ".join(summary.set_aside)
        text += f"\nSet aside, as each of them ended its worker twice: {names}."
    if summary.n_failed:
        text += (
            f"\n`zoo-eval status --store {store}` says why; `{_retry_command(wishes)}` tries them "
            "again."
        )
    else:
        text += f"\nNext: `zoo-eval report --store {store}`."
    _say(wishes, report, text)


def _retry_command(wishes: Wishes) -> str:
    return shlex.join(["zoo-eval", "retry", wishes.job, "--store", str(wishes.store)])


def _command() -> list[str]:
    return ["zoo-eval", *sys.argv[1:]]


def _say(wishes: Wishes, report: dict[str, object], text: str) -> None:
    print(json.dumps(report) if wishes.as_json else text)
