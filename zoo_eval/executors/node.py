"""What goes on in a process that Ray starts on a node: it watches a worker process of its own.

The worker is the same as on one machine, and so are its limits and the ways in which it can fail:
a network that hangs, crashes or eats memory ends the worker, and never the process that Ray knows.
If that one ends, it was none of the network's doing.

Tasks and outcomes pass through it as bytes, so that it needs neither torch nor its memory.
"""

import os
import pickle
import platform
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import ray

from zoo_eval.errors import ClusterError
from zoo_eval.executors import shipping
from zoo_eval.executors.cores import usable_cores
from zoo_eval.executors.process import Limits, Loss
from zoo_eval.executors.slot import Slot, wait_for_one

if TYPE_CHECKING:
    from zoo_eval.executors.task import Task
    from zoo_eval.store import Outcome

POLL_S = 0.5
AHEAD = 20  # tasks that wait for the worker, so that it need not wait for short ones

Reference = Any  # ray.ObjectRef, or what stands for one where Ray is far away
_Numbered = tuple[int, bytes]


@dataclass(frozen=True)
class Given:
    """What all tasks of a run need, sent to each process once.

    Attributes:
        make_worker: A `WorkerMaker`, pickled.
        limits: What a worker may take.
        decoded: Digest of the decoded images; None: no images are needed.
        version: Of zoo_eval, where the run was started.
    """

    make_worker: bytes
    limits: Limits
    decoded: str | None
    version: str


_Key = tuple[str, int, str | None]

# The worker process that this one keeps between calls, and what it was made for.
_kept: tuple[_Key, Slot[_Numbered, bytes]] | None = None


def work(
    run: str, tasks: list[bytes], cpus: int, given: list[Reference], pixels: list[Reference]
) -> list[bytes | Loss] | None:
    """Do tasks in the worker of this process.

    Args:
        run: Name of the run.
        tasks: What to do, each pickled.
        cpus: Threads of the worker.
        given: Where `Given` is.
        pixels: Where the decoded images are; empty: not sent yet. Both in lists, as Ray fetches
            by itself what an argument refers to.

    Returns:
        For each task its outcome, pickled, or why it was lost. None, if this node lacks the
        images and was not sent them.

    Raises:
        ClusterError: this node has another version of zoo_eval.
        DatasetError: the images cannot be kept here.
    """
    global _kept
    key = run, cpus, os.environ.get("CUDA_VISIBLE_DEVICES")
    if _kept is None or _kept[0] != key:
        if _kept is not None:
            _kept[1].stop()
            _kept = None
        needed: Given = _fetch(given[0])
        if not _is_ready(needed, pixels):
            return None
        sharing = max(1, usable_cores() // cpus)
        make_worker = partial(_Opening, needed.make_worker)
        _kept = key, Slot[_Numbered, bytes](make_worker, cpus, sharing, needed.limits)
    return _do(_kept[1], tasks)


def _is_ready(given: Given, pixels: list[Reference]) -> bool:
    here = version("zoo-eval")
    if here != given.version:
        raise ClusterError(
            f"Node {platform.node()} has zoo-eval {here}, but the run was started with "
            f"{given.version}. All nodes need the same: `pip install zoo-eval=={given.version}`."
        )
    if given.decoded is None or shipping.has(given.decoded):
        return True
    if not pixels:
        return False
    shipping.keep(given.decoded, ((name, _fetch(part)) for name, part in _fetch(pixels[0])))
    return True


def _do(slot: Slot[_Numbered, bytes], tasks: list[bytes]) -> list[bytes | Loss]:
    waiting = deque(enumerate(tasks))
    results: dict[int, bytes | Loss] = {}
    while len(results) < len(tasks):
        while waiting and slot.is_open and len(slot.tasks) <= AHEAD:
            slot.submit(waiting.popleft())
        wait_for_one([slot], POLL_S)
        for (number, _), result in slot.ended():
            if isinstance(result, Loss):
                result = replace(result, message=_with_node(result.message))
            results[number] = result
    return [results[number] for number in range(len(tasks))]


class _Opening:
    """A worker that takes and gives bytes; it alone has what they are made of."""

    def __init__(self, make_worker: bytes, threads: int, sharing: int, memory: int | None) -> None:
        self._worker = pickle.loads(make_worker)(threads, sharing, memory)

    def work(self, task: _Numbered, doing: Callable[[str], None]) -> tuple[bytes, int]:
        opened: Task = pickle.loads(task[1])
        outcome, memory = self._worker.work(opened, doing)
        return pickle.dumps(_placed(opened, outcome)), memory


def _placed(task: "Task", outcome: "Outcome") -> "Outcome":
    """Say of a failure where it happened: it may be that node's."""
    attempt = outcome.attempt
    if attempt.message is None:
        return outcome
    message, line = _with_node(attempt.message), task.unit.line
    if attempt.outcome == "load" and line.weights_file and not line.folder.is_dir():
        message += f". All nodes must share the folder {line.folder}; this one does not have it."
    return replace(outcome, attempt=replace(attempt, message=message))


def _with_node(message: str) -> str:
    return f"{message} (on node {platform.node()})"


def _fetch(reference: Reference) -> Any:  # noqa: ANN401  # whatever it refers to
    return ray.get(reference)
