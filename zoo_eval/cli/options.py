"""Options that several commands share, so that they mean and read the same everywhere."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Precision(StrEnum):
    """Values of `--precision`."""

    fp32 = "fp32"
    bf16 = "bf16"
    auto = "auto"


class ExecutorName(StrEnum):
    """Values of `--executor`."""

    local = "local"
    ray = "ray"


class ClassFolder(StrEnum):
    """Values of `--class-folder`."""

    last = "last"
    first = "first"
    none = "none"


JobArgument = Annotated[
    str, typer.Argument(help="A builtin job (quickstart, …) or a TOML file.", metavar="JOB")
]
StoreOption = Annotated[Path, typer.Option("--store", help="The result file (DuckDB).")]
LimitOption = Annotated[
    int | None, typer.Option("--limit", min=1, help="Only the first N models of the manifest.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Worker processes; default: one per core.")
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Refuse a dataset with an unreadable image.")
]
PrecisionOption = Annotated[
    Precision | None,
    typer.Option(help="Of the pass over the images; auto: bf16 where it is measured faster."),
]
TimeLimitOption = Annotated[
    float, typer.Option(min=1, help="Seconds for one network; then it is stopped.")
]
MemoryLimitOption = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", help="Of one worker, such as 8GB; default: what the machine has, shared."
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Prove first that all weights are here; download nothing.")
]
KeepArraysOption = Annotated[
    bool,
    typer.Option(
        "--keep-arrays", help="Keep embeddings and logits: later scores then need no network."
    ),
]
ArraysOption = Annotated[
    str | None,
    typer.Option(
        "--arrays", metavar="URL", help="Where its arrays are kept; default: beside the store."
    ),
]
WeightsBudgetOption = Annotated[
    str | None,
    typer.Option(
        "--weights-budget",
        metavar="SIZE",
        help="Room for downloaded weights, such as 20GB; the least recently used are evicted.",
    ),
]
ExecutorOption = Annotated[
    ExecutorName, typer.Option(help="local: processes on this machine; ray: a Ray cluster.")
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Of the Ray cluster: auto, HOST:PORT or ray://HOST:PORT; default: this machine alone.",
    ),
]

DEFAULT_STORE = Path("results.duckdb")
DEFAULT_TIME_LIMIT = 3600.0
DEFAULT_EXECUTOR = ExecutorName.local
