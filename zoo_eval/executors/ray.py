"""Does tasks on the nodes of a Ray cluster.

Each task asks Ray for what its network needs, and Ray finds the node. There, `node` hands it to a
worker process, and the process that Ray knows only watches. So if Ray loses that process or its
node, it is not the network's fault: the task is done elsewhere, and the store hears nothing of it.
"""

import math
import pickle
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import ray
from ray import exceptions

from zoo_eval.errors import ClusterError, ZooEvalError
from zoo_eval.executors import node, shipping
from zoo_eval.executors.node import Reference
from zoo_eval.executors.process import Limits, Loss, WorkerMaker
from zoo_eval.executors.ray_cluster import RayCluster
from zoo_eval.executors.resources import Need
from zoo_eval.executors.task import Task, failed_outcome
from zoo_eval.store import Outcome

MOST_LOSSES = 3  # of processes or nodes under one task, before it is suspected after all
CALL_S = 0.25  # that one call of a node should last: short tasks are sent many at a time
MOST_AT_ONCE = 500
LOOK_S = 5.0  # between looks at how large the cluster is

_LOST = (
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.ObjectLostError,
    exceptions.LocalRayletDiedError,
)


class RayExecutor:
    """Tasks on a cluster, each with what its network needs.

    Args:
        cluster: Where.
        make_worker: Makes what works in the worker processes.
        limits: What a worker may take.
        need: What a task is to be given.
        workers: How many tasks are done at once at most; None: as many as the cluster has room for.
        decoded: Digest of the decoded images, if workers need them.
    """

    def __init__(
        self,
        cluster: RayCluster,
        make_worker: WorkerMaker,
        limits: Limits,
        need: Callable[[Task], Need],
        *,
        workers: int | None = None,
        decoded: str | None = None,
    ) -> None:
        self._cluster, self._need = cluster, need
        self._workers, self._decoded = workers, decoded
        self._run = uuid.uuid4().hex
        given = node.Given(pickle.dumps(make_worker), limits, decoded, version("zoo-eval"))
        self._given = ray.put(given)
        self._pixels: list[Reference] = []
        self._waiting: defaultdict[Need, deque[Task]] = defaultdict(deque)
        self._calls: dict[Reference, tuple[Need, list[Task], datetime]] = {}
        self._n_tasks = 0  # that have not ended
        self._losses: Counter[Task] = Counter()
        self._seconds = math.inf
        self._looked_at = -math.inf
        self._most_calls = 1

    @property
    def room(self) -> int:
        """How many more tasks can be submitted now."""
        self._look()
        return max(0, self._most_calls * self._at_once - self._n_tasks)

    @property
    def busy(self) -> bool:
        """Whether a task is not finished yet."""
        return self._n_tasks > 0

    def submit(self, task: Task) -> None:
        """Send a task to the cluster, alone or with others that need the same."""
        self._n_tasks += 1
        need = self._need(task)
        self._waiting[need].append(task)
        if len(self._waiting[need]) >= self._at_once:
            self._send(need)

    def finished(self, timeout_s: float) -> Sequence[tuple[Task, Outcome]]:
        """Tasks that ended since the last call; waits for one at most so long.

        Raises:
            ClusterError: a node cannot work for this run.
        """
        for need in [need for need, tasks in self._waiting.items() if tasks]:
            self._send(need)
        calls = list(self._calls)
        ready, _ = ray.wait(calls, num_returns=1, timeout=timeout_s)
        if ready:
            ready, _ = ray.wait(calls, num_returns=len(calls), timeout=0)
        ended = [pair for call in ready for pair in self._ended(call)]
        self._n_tasks -= len(ended)
        if ended:
            self._seconds = sum(outcome.attempt.seconds for _, outcome in ended) / len(ended)
        return ended

    @property
    def _at_once(self) -> int:
        return max(1, min(MOST_AT_ONCE, int(CALL_S / max(self._seconds, 1e-6))))

    def _look(self) -> None:
        """Keep as many calls under way as the cluster can do, and as many again that wait."""
        if self._workers is not None:
            self._most_calls = self._workers
        elif time.monotonic() - self._looked_at > LOOK_S:
            self._most_calls = max(2, 2 * self._cluster.cpus)
            self._looked_at = time.monotonic()

    def _send(self, need: Need) -> None:
        waiting = self._waiting[need]
        self._call(need, [waiting.popleft() for _ in range(min(len(waiting), self._at_once))])

    def _call(self, need: Need, tasks: list[Task]) -> None:
        # Tried again by us, not by Ray, which cannot tell one reason from another.
        remote = ray.remote(
            num_cpus=need.cpus, num_gpus=need.gpus, memory=need.memory, max_retries=0
        )(node.work)
        sent = [pickle.dumps(task) for task in tasks]
        call = remote.remote(self._run, sent, need.cpus, [self._given], self._pixels)
        self._calls[call] = need, tasks, _now()

    def _ended(self, call: Reference) -> list[tuple[Task, Outcome]]:
        need, tasks, started = self._calls.pop(call)
        try:
            results = _results(call)
        except (*_LOST, exceptions.OutOfMemoryError) as error:
            return self._lost(need, tasks, started, error)
        except exceptions.RayError as error:
            cause = error.cause if isinstance(error, exceptions.RayTaskError) else error
            if isinstance(cause, ZooEvalError):
                raise cause from None
            reason = str(cause).strip().rpartition("\n")[2]
            raise ClusterError(
                f"A node cannot work for this run: {type(cause).__name__}: {reason}"
            ) from error
        if results is None:
            assert self._decoded is not None
            if not self._pixels:
                parts = [(name, ray.put(part)) for name, part in shipping.parts_of(self._decoded)]
                self._pixels.append(ray.put(parts))
            self._call(need, tasks)
            return []
        for task in tasks:
            self._losses.pop(task, None)
        return [
            (task, failed_outcome(task, r) if isinstance(r, Loss) else pickle.loads(r))
            for task, r in zip(tasks, results, strict=True)
        ]

    def _lost(
        self, need: Need, tasks: list[Task], started: datetime, error: Exception
    ) -> list[tuple[Task, Outcome]]:
        """Do again, each by itself, what was under way where a process or node was lost."""
        short = isinstance(error, exceptions.OutOfMemoryError)
        given_up: list[tuple[Task, Outcome]] = []
        for task in tasks:
            self._losses[task] += 1
            if len(tasks) > 1 or (self._losses[task] < MOST_LOSSES and not short):
                self._call(need, [task])
            else:
                del self._losses[task]
                given_up.append((task, _failed(task, started, error)))
        return given_up


def _failed(task: Task, started: datetime, error: BaseException) -> Outcome:
    """The outcome of a task of which only Ray knows what became."""
    reason = str(error).partition("\n")[0]
    if isinstance(error, exceptions.OutOfMemoryError):
        kind, message = "out_of_memory", f"Ray ended the process, as its node ran short: {reason}"
    else:
        kind = "killed"
        message = f"{MOST_LOSSES} times Ray lost the process or the node that did it: {reason}"
    seconds = (_now() - started).total_seconds()
    return failed_outcome(task, Loss(kind, type(error).__name__, message, None, started, seconds))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _results(call: Reference) -> list[bytes | Loss] | None:
    given: Any = ray.get(call)
    return given
