"""`zoo-eval retry JOB`."""

from enum import StrEnum
from typing import Annotated

import typer

from zoo_eval.cli.carry_out import Wishes, carry_out
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


class Failed(StrEnum):
    """How an evaluation can fail so that no run tries it again unasked."""

    timeout = "timeout"
    killed = "killed"
    out_of_memory = "out_of_memory"
    load = "load"
    nan = "nan"
    error = "error"


def retry(
    job: JobArgument,
    kind: Annotated[
        list[Failed] | None,
        typer.Option("--type", help="Only what failed in this way; can be given several times."),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    workers: WorkersOption = None,
    limit: LimitOption = None,
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
    """Try again what failed.

    Only networks of the job whose last attempt failed, and only the scores that they lack.
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
    carry_out(wishes, retry={each.value for each in kind or list(Failed)})
