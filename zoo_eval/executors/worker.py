"""What goes on in a worker process, on this machine or on another."""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import psutil

from zoo_eval.datasets import Dataset
from zoo_eval.declarations import itself
from zoo_eval.executors.memory import give_back, keep_freed, peak_memory, settle
from zoo_eval.executors.task import Task
from zoo_eval.executors.watch import watch
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities import QUANTITIES
from zoo_eval.scores import SCORES
from zoo_eval.settings import Settings
from zoo_eval.store import Outcome


class Worker:
    """One process's dataset, settings, and the quantities of the dataset alone.

    Args:
        dataset: The images.
        settings: How networks are run.
        threads: Of the processor, for this process.
        workers: How many share the machine.
        memory: Bytes that this process may have.
    """

    def __init__(
        self, dataset: Dataset, settings: Settings, threads: int, workers: int, memory: int | None
    ) -> None:
        # Ctrl-C reaches the whole process group; the main process alone decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _mute()
        keep_freed()
        watch(workers, memory)
        import threadpoolctl
        import torch

        torch.set_num_threads(threads)
        # TF32 keeps 10 bits of a float32 product: enough to train with, not to compare gradients.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        threadpoolctl.threadpool_limits(threads)
        ensure_torchvision()
        # Now, and not while the first network is timed. Not above: the process that hands out
        # the work imports this file, and has no use for torch.
        importlib.import_module("timm")
        from zoo_eval.evaluate import evaluate

        for computed in (*SCORES.values(), *QUANTITIES.values()):
            with suppress(Exception):  # those that need it will fail, and say why
                itself(computed.function)
        settle()
        self._evaluate = partial(evaluate, dataset=dataset, shared={})
        self._settings = settings
        self._process = os.getpid()

    def work(self, task: Task, doing: Callable[[str], None]) -> tuple[Outcome, int]:
        """The outcome, and the bytes that this process has afterwards."""

        def still_alone(what: str) -> None:
            # A score that forks leaves a second worker behind, which must not go on with it.
            if os.getpid() != self._process:
                os._exit(0)
            doing(what)

        settings = self._settings.relieved(task.relief)
        outcome = self._evaluate(task.unit, settings=settings, doing=still_alone)
        still_alone("nothing")
        attempt = replace(outcome.attempt, peak_rss_bytes=peak_memory())
        outcome = replace(outcome, attempt=attempt)
        give_back()
        return outcome, psutil.Process().memory_info().rss


def _mute() -> None:
    """Print nowhere: what scores and libraries print would come between the run's own lines."""
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
