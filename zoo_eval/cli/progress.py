"""Shows a run's progress: a live bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from zoo_eval.drive import Ended
from zoo_eval.plan import Plan
from zoo_eval.store import Outcome

OnOutcome = Callable[[Ended], None]


@contextmanager
def progress_for(plan: Plan, *, quiet: bool) -> Generator[OnOutcome]:
    """A function to call with each outcome.

    Args:
        plan: The work.
        quiet: Show nothing, because a machine reads the output.
    """
    if quiet:
        yield lambda _: None
    elif sys.stdout.isatty():
        with _live(plan) as on_outcome:
            yield on_outcome
    else:
        yield _plain(plan)


@contextmanager
def _live(plan: Plan) -> Generator[OnOutcome]:
    console = Console()
    columns = (
        TextColumn("networks"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed, {task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    started = time.monotonic()
    failed = 0
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=len(plan.units), failed=0, rate="starting")

        def on_outcome(ended: Ended) -> None:
            nonlocal failed
            if ended.again:
                bar.console.print(f"[yellow]tried again[/] {escape(_failure(ended.outcome))}")
                return
            if not ended.good:
                failed += 1
                bar.console.print(f"[red]failed[/] {escape(_failure(ended.outcome))}")
            done = bar.tasks[0].completed + 1
            rate = f"{60 * done / (time.monotonic() - started):.1f}/min"
            bar.update(task, advance=1, failed=failed, rate=rate)

        yield on_outcome


def _plain(plan: Plan) -> OnOutcome:
    started = time.monotonic()
    done = 0

    def on_outcome(ended: Ended) -> None:
        nonlocal done
        if ended.again:
            print(f"tried again: {_failure(ended.outcome)}", flush=True)
            return
        done += 1
        elapsed = time.monotonic() - started
        left = elapsed / done * (len(plan.units) - done)
        a = ended.outcome.attempt
        ending = f"{a.seconds:.1f} s" if ended.good else f"failed: {_failure(ended.outcome)}"
        print(
            f"[{done}/{len(plan.units)}] {a.model} {a.weights}: {ending}; {left:.0f} s left",
            flush=True,
        )

    return on_outcome


def _failure(outcome: Outcome) -> str:
    a = outcome.attempt
    return f"{a.model} ({a.weights}): {a.outcome}: {a.message}"
