"""Runs units in worker processes on this machine."""

import importlib
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context

from pebble import ProcessExpired, ProcessPool

from zoo_eval.datasets import Dataset
from zoo_eval.evaluate import Settings, evaluate
from zoo_eval.executors.cores import threads_of_each
from zoo_eval.executors.memory import give_back, settle
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.plan import Unit
from zoo_eval.quantities import Computed
from zoo_eval.store import Attempt, Outcome


class LocalExecutor:
    """A pool of worker processes, each with its share of the processor's threads.

    Leaving the `with` block ends the workers at once; a unit that is under way is lost, and the
    next run does it again.

    Args:
        workers: Number of processes.
        dataset: The images, for all units.
        settings: How networks are run.
    """

    def __init__(self, workers: int, dataset: Dataset, settings: Settings) -> None:
        self._workers = workers
        # spawn: a forked copy of a process with BLAS or CUDA threads can hang.
        self._pool = ProcessPool(
            max_workers=workers,
            context=get_context("spawn"),
            initializer=_set_up,
            initargs=(threads_of_each(workers), dataset, settings),
        )

    def __enter__(self) -> "LocalExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.stop()
        self._pool.join()

    def outcomes(self, units: Iterable[Unit]) -> Iterator[list[Outcome]]:
        """The outcomes of the units as they come: each time, those that are new."""
        waiting = iter(units)
        running: dict[Future[Outcome], tuple[Unit, datetime]] = {}
        self._fill(running, waiting)
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            outcomes = [_outcome(future, *running.pop(future)) for future in finished]
            # Before the outcomes are given out: storing them takes a while.
            self._fill(running, waiting)
            yield outcomes

    def _fill(
        self, running: dict[Future[Outcome], tuple[Unit, datetime]], waiting: Iterator[Unit]
    ) -> None:
        """Let one unit wait for each worker: that keeps them busy, and an interruption short."""
        for unit in islice(waiting, 2 * self._workers - len(running)):
            future: Future[Outcome] = self._pool.schedule(_work, args=[unit])
            running[future] = (unit, datetime.now(UTC).replace(tzinfo=None))


# What a worker process keeps between units.
_dataset: Dataset
_settings: Settings
_shared: dict[str, Computed] = {}


def _set_up(threads: int, dataset: Dataset, settings: Settings) -> None:
    global _dataset, _settings
    # Ctrl-C reaches the whole process group; the main process alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import threadpoolctl
    import torch

    torch.set_num_threads(threads)
    # TF32 keeps 10 bits of a float32 product: enough to train with, not to compare gradients.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    threadpoolctl.threadpool_limits(threads)
    _dataset, _settings = dataset, settings
    ensure_torchvision()
    importlib.import_module("timm")  # now, and not while the first network is timed
    settle()


def _work(unit: Unit) -> Outcome:
    try:
        return evaluate(unit, _dataset, _settings, _shared)
    finally:
        give_back()


def _outcome(future: Future[Outcome], unit: Unit, started: datetime) -> Outcome:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, ProcessExpired):
        kind = "killed"
        message = f"The worker process died with exit code {error.exitcode}."
        if error.exitcode < 0:
            name = signal.Signals(-error.exitcode).name
            cause = "it may have run out of memory" if name == "SIGKILL" else "native code crashed"
            message = f"The worker process was ended by {name}: {cause}."
    else:
        kind, message = "error", str(error).partition("\n")[0]
    attempt = Attempt(
        model=unit.line.model,
        weights=unit.weights,
        seed=unit.seed,
        started=started,
        seconds=(datetime.now(UTC).replace(tzinfo=None) - started).total_seconds(),
        outcome=kind,
        error_type=type(error).__name__,
        message=message,
    )
    return Outcome(attempt)
