"""Measures this machine in a process of its own, as workers would find it, and keeps the result."""

import signal
from concurrent.futures.process import BrokenProcessPool
from typing import Literal

from pebble import ProcessExpired

from zoo_eval.errors import ModelError
from zoo_eval.executors.memory import keep_freed
from zoo_eval.executors.starting import one_process
from zoo_eval.store import Store


def measured(
    store: Store, quantity: Literal["working_set", "bf16_speedup"], device: str, threads: int
) -> float:
    """What `zoo_eval.calibration` measures; taken from the store if it knows this machine.

    Args:
        store: Where it is kept.
        quantity: The name of the function that measures it.
        device: As a job names it.
        threads: Threads of one worker.

    Raises:
        ModelError: torch does not know or cannot reach the device; or the process ended.
    """
    # A process of its own: this one would else keep torch's threads and a GPU's context. Ctrl-C
    # reaches it too, but this process alone decides what that means.
    pool = one_process(signal.signal, signal.SIGINT, signal.SIG_IGN)
    try:
        machine: str = pool.schedule(_machine, args=[device, threads]).result()
        kept = store.calibration(machine, quantity)
        if kept is None:
            kept = float(pool.schedule(_measure, args=[quantity, device, threads]).result())
            store.keep_calibration(machine, quantity, kept)
    except (ProcessExpired, BrokenProcessPool) as error:
        raise ModelError(
            f"The process that measures this machine ended before it had a result ({error}): it "
            "may have run out of memory. Set batch_size and precision in the job, or try again."
        ) from error
    finally:
        pool.stop()
        pool.join()
    return kept


def _machine(device: str, threads: int) -> str:
    from zoo_eval.calibration import machine
    from zoo_eval.givens import choose_device

    return machine(choose_device(device), threads)


def _measure(quantity: str, device: str, threads: int) -> float:
    from zoo_eval import calibration
    from zoo_eval.givens import choose_device

    keep_freed()
    measure = {
        "working_set": calibration.working_set,
        "bf16_speedup": calibration.bf16_speedup,
    }[quantity]
    return measure(choose_device(device), threads)


def working_set_of(device: str, threads: int) -> float:
    """The working set, measured in this process and kept nowhere."""
    return _measure("working_set", device, threads)
