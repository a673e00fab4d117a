"""Opens the executor that a run is to use."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from zoo_eval.datasets import Dataset
from zoo_eval.errors import ClusterError
from zoo_eval.executors.cores import usable_cores
from zoo_eval.executors.local import LocalExecutor
from zoo_eval.executors.measured import working_set_of
from zoo_eval.executors.process import Limits
from zoo_eval.executors.resources import check, need_of
from zoo_eval.executors.task import Executor
from zoo_eval.executors.worker import Worker
from zoo_eval.job.schema import ResourcesTable
from zoo_eval.settings import Settings


@dataclass(frozen=True)
class Where:
    """Where networks are evaluated.

    Attributes:
        executor: On this machine, or on the nodes of a Ray cluster.
        address: Of the cluster: `auto`, HOST:PORT or ray://HOST:PORT; None: this machine alone.
    """

    executor: Literal["local", "ray"] = "local"
    address: str | None = None


LOCAL = Where()


@contextmanager
def executor_of(
    where: Where,
    workers: int | None,
    dataset: Dataset,
    settings: Settings,
    limits: Limits,
    resources: ResourcesTable,
) -> Generator[Executor]:
    """An executor for one run, closed with the block.

    Args:
        where: Here or on a cluster.
        workers: How many networks are evaluated at once; None: as many as a cluster has room for.
        dataset: The images.
        settings: How networks are run.
        limits: What a worker may take.
        resources: What a network gets on a cluster.

    Raises:
        ClusterError: the cluster cannot be reached, or has no node that the job asks for.
    """
    if where.executor == "local":
        with LocalExecutor(workers or 1, partial(Worker, dataset, settings), limits) as local:
            yield local
        return
    try:
        from zoo_eval.executors.ray import RayExecutor
        from zoo_eval.executors.ray_cluster import RayCluster
    except ModuleNotFoundError as error:
        raise ClusterError(
            "--executor ray needs Ray, which is not installed: `pip install zoo-eval[cluster]`."
        ) from error
    with RayCluster(where.address, max(workers or 1, usable_cores())) as cluster:
        largest = cluster.capacity()
        check(resources, largest)
        if settings.batch_size is None:  # measured where networks will run
            gpus = 1.0 if largest.gpu_memory and settings.device != "cpu" else 0.0
            threads, precision = resources.cpus or 1, settings.precision
            measure = partial(working_set_of, settings.device, threads, precision)
            settings = replace(settings, working_set=cluster.call(measure, gpus=gpus))
        yield RayExecutor(
            cluster,
            partial(Worker, dataset, settings),
            limits,
            partial(need_of, settings=settings, wanted=resources, largest=largest),
            workers=workers,
            decoded=dataset.decoded,
        )
