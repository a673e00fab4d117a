"""`zoo-eval run JOB`."""

from typing import Annotated

import typer

from zoo_eval.cli.carry_out import Wishes, carry_out, prepare_for
from zoo_eval.cli.options import (
    DEFAULT_EXECUTOR,
    DEFAULT_STORE,
    DEFAULT_TIME_LIMIT,
    AddressOption,
    ArraysOption,
    ExecutorOption,
    JobArgument,
    JsonOption,
    KeepArraysOption,
    LimitOption,
    MemoryLimitOption,
    OfflineOption,
    PrecisionOption,
    StoreOption,
    StrictOption,
    TimeLimitOption,
    WeightsBudgetOption,
    WorkersOption,
)


def run(
    job: JobArgument,
    store: StoreOption = DEFAULT_STORE,
    workers: WorkersOption = None,
    limit: LimitOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, its time and disk; do nothing.")
    ] = False,
    strict: StrictOption = False,
    precision: PrecisionOption = None,
    time_limit: TimeLimitOption = DEFAULT_TIME_LIMIT,
    memory_limit: MemoryLimitOption = None,
    offline: OfflineOption = False,
    weights_budget: WeightsBudgetOption = None,
    keep_arrays: KeepArraysOption = False,
    arrays: ArraysOption = None,
    executor: ExecutorOption = DEFAULT_EXECUTOR,
    address: AddressOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a job; go on where it stopped.

    What the result file has already is not computed again, so stopping is safe at any time. What
    failed before is left out, unless it may heal by itself (a download, a worker that was killed
    once): `zoo-eval retry` tries it again.

    Exit code 0: all is there; 2: the job cannot be run as it is; 3: some models failed, now or
    before; 130: interrupted.
    """
    wishes = Wishes(
        job,
        store,
        workers,
        limit,
        strict,
        precision.value if precision else None,
        time_limit,
        memory_limit,
        offline,
        weights_budget,
        keep_arrays,
        arrays,
        executor.value,
        address,
        as_json,
    )
    if not dry_run:
        carry_out(wishes)
        return
    from zoo_eval.cli.plan_text import show_plan
    from zoo_eval.estimate import estimate
    from zoo_eval.store import Store

    prepared = prepare_for(wishes, Store(store), retry=None)
    show_plan(prepared, estimate(prepared, workers), as_json=as_json)
