"""A connection to a Ray cluster, and what there is in it."""

import logging
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import ray
from ray import exceptions

from zoo_eval.errors import ClusterError
from zoo_eval.executors.resources import Capacity

CONNECT_S = 10.0


class RayCluster:
    """A connection to a cluster, for as long as the `with` block lasts.

    Ray ends whatever a driver has started when the driver is gone, however that comes about.

    Args:
        address: `auto`, HOST:PORT or ray://HOST:PORT; None: this machine alone becomes a cluster,
            until the block is left.
        cpus: Processors of that cluster of one machine.

    Raises:
        ClusterError: nobody answers there.
    """

    def __init__(self, address: str | None, cpus: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Ray takes SIGTERM for itself; what it means for a run is not Ray's to say.
        ours = signal.getsignal(signal.SIGTERM)
        try:
            if address is None:
                _init(address="local", num_cpus=cpus, include_dashboard=False)
            else:
                _try_to_reach(address)
                _init(address=address)
        except (exceptions.RayError, RuntimeError, ValueError, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise ClusterError(
                f"There is no Ray cluster at {address or 'this machine'}: {reason}. One that was "
                "started by `ray start` may ask for a token: set RAY_AUTH_MODE=token here, too."
            ) from error
        finally:
            signal.signal(signal.SIGTERM, ours)

    def __enter__(self) -> "RayCluster":
        return self

    def __exit__(self, *_: object) -> None:
        ray.shutdown()

    @property
    def cpus(self) -> int:
        """Processors of all nodes."""
        return int(ray.cluster_resources().get("CPU", 0))

    def capacity(self) -> Capacity:
        """The most that one of its nodes has.

        Raises:
            ClusterError: there is no node to work on.
        """
        nodes = [each["Resources"] for each in ray.nodes() if each["Alive"]]
        cpus = max((int(resources.get("CPU", 0)) for resources in nodes), default=0)
        if not cpus:
            raise ClusterError(
                f"The Ray cluster has {len(nodes)} nodes, but none with a processor to work on. "
                "`ray start --address HOST:PORT` adds one."
            )
        memory = max(int(resources.get("memory", 0)) for resources in nodes)
        has_gpu = any(resources.get("GPU", 0) for resources in nodes)
        return Capacity(cpus, memory, self.call(_gpu_memory, gpus=1.0) if has_gpu else 0)

    def call(self, function: Callable[[], Any], *, gpus: float = 0.0) -> Any:  # noqa: ANN401
        """What a function gives on one of the nodes."""
        # max_calls: torch's threads and a GPU's context end with the process.
        return ray.get(ray.remote(num_cpus=1, num_gpus=gpus, max_calls=1)(function).remote())


def _init(**options: Any) -> None:  # noqa: ANN401  # Ray's own
    ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)


def _try_to_reach(address: str) -> None:
    """Fail at once where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=CONNECT_S).close()


def _gpu_memory() -> int:
    import torch

    return int(torch.cuda.get_device_properties(0).total_memory)
