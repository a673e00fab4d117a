"""What a network needs of a cluster's node: processors, a share of a GPU, memory."""

import math
from dataclasses import dataclass

from zoo_eval.errors import ClusterError
from zoo_eval.executors.task import Task
from zoo_eval.job.schema import ResourcesTable
from zoo_eval.plan import Unit
from zoo_eval.settings import Settings

GB = 1000**3
PROCESS = int(1.5 * GB)  # a worker with its libraries, and with the one that watches it
MEMORY_OF_A_CPU = 4 * GB  # what most clusters have
PROBES_AT_ONCE = 16  # images of the probe batch whose graph of gradients is held
TENTHS = 10  # shares of a GPU


@dataclass(frozen=True)
class Capacity:
    """The most that one node of a cluster has.

    Attributes:
        cpus: Processors.
        memory: Bytes.
        gpu_memory: Bytes of a GPU; 0: no node has one.
    """

    cpus: int
    memory: int
    gpu_memory: int = 0


@dataclass(frozen=True)
class Need:
    """What one network is to be given.

    Attributes:
        cpus: Processors, and threads.
        gpus: Share of a GPU.
        memory: Bytes of the node's memory.
    """

    cpus: int = 1
    gpus: float = 0.0
    memory: int = 0


def need_of(task: Task, settings: Settings, wanted: ResourcesTable, largest: Capacity) -> Need:
    """What the job says; what it does not say is estimated, and no more than a node has.

    With P parameters, A outputs of layers for one image (`params` and `activations` of the
    manifest; nothing, where it does not say), b images in a batch and n in the probe batch, all
    of them float32, a network takes

        M = 4P·2 + max(4A·b, g·(4P·2 + 4A·3·min(n, 16)))

    bytes: its weights and the file that they are read from; then the outputs of a batch (half of
    it in bfloat16; with the batch size `auto`, 4A·b is the measured working set), or, if a score
    looks at the probe images (g = 1), gradients and what products of them need, and the outputs
    of layers, of the norms and activation functions between them, and their gradients. 4P more, if
    a score compares the network with its start, and 8P, if one averages it with its sibling.

    memory  M and 1.5 GB for the process; on a GPU, the weights and the process
    gpus    M as a share of the GPU's memory, in tenths, rounded up
    cpus    one for each 4 GB of memory: nobody else could use them

    Args:
        task: The network, and how its memory is spared.
        settings: How networks are run.
        wanted: The job's `[resources]`.
        largest: The node that has most.
    """
    relieved = settings.relieved(task.relief)
    taken = _bytes_of(task.unit, relieved)
    on_gpu = largest.gpu_memory > 0 and relieved.device != "cpu"
    share = math.ceil(TENTHS * taken / largest.gpu_memory) / TENTHS if on_gpu else 0.0
    gpus = min(1.0, share) if wanted.gpus is None else wanted.gpus
    memory = PROCESS + (8 * _count(task.unit, "params") if gpus else taken)
    memory = min(memory, largest.memory) if wanted.memory is None else int(wanted.memory)
    cpus = min(math.ceil(memory / MEMORY_OF_A_CPU), largest.cpus)
    return Need(wanted.cpus or max(1, cpus), gpus, memory)


def check(wanted: ResourcesTable, largest: Capacity) -> None:
    """Refuse what no node has: Ray would wait for it for ever.

    Raises:
        ClusterError: says what is asked for and what there is.
    """
    n_gpus = 1 if largest.gpu_memory else 0
    for name, asked, most in (
        ("cpus", wanted.cpus, largest.cpus),
        ("gpus", wanted.gpus, n_gpus),
        ("memory", wanted.memory, largest.memory),
    ):
        if asked is not None and asked > most:
            raise ClusterError(
                f"The job's [resources] ask for {name} = {asked:g}, but no node of the cluster "
                f"has more than {most:g} for one network."
            )


def _bytes_of(unit: Unit, settings: Settings) -> int:
    params, outputs = 4 * _count(unit, "params"), 4 * _count(unit, "activations")
    size = settings.batch_size
    batch = settings.working_set if size is None else outputs * size
    if settings.precision == "bf16":
        batch /= 2
    needed = frozenset[str]().union(*(one.request.score.givens() for one in unit.scores))
    gradients = 0
    if "probe_images" in needed:
        gradients = 2 * params + 3 * outputs * min(settings.probe_n, PROBES_AT_ONCE)
    # Its start; its sibling, and the average of the two.
    networks = 2 + ("initial_model" in needed) + 2 * ("sibling_model" in needed)
    return int(networks * params + max(batch, gradients))


def _count(unit: Unit, column: str) -> int:
    value = unit.line.cells.get(column)
    return value if isinstance(value, int) else 0
