"""Measures this machine in a process of its own, as workers would find it, and keeps the result."""

import signal
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from pebble import ProcessExpired

from zoo_eval.errors import ModelError
from zoo_eval.executors.memory import keep_freed
from zoo_eval.executors.starting import one_process
from zoo_eval.quantities import Precision
from zoo_eval.store import Store


def measured_working_set(store: Store, device: str, threads: int, precision: Precision) -> float:
    """The working set of `zoo_eval.calibration`; taken from the store if it knows this machine.

    Args:
        store: Where it is kept.
        device: As a job names it.
        threads: Threads of one worker.
        precision: In which networks will run.

    Raises:
        ModelError: torch does not know or cannot reach the device; or the process ended.
    """
    measure = partial(working_set_of, device, threads, precision)
    return _kept(store, f"working_set_{precision}", measure, device, threads)


def measured_speedup(store: Store, device: str, threads: int) -> float:
    """What bfloat16 gains here; arguments and errors as of `measured_working_set`."""
    return _kept(store, "bf16_speedup", partial(_speedup, device, threads), device, threads)


def _kept(
    store: Store, quantity: str, measure: Callable[[], float], device: str, threads: int
) -> float:
    # A process of its own: this one would else keep torch's threads and a GPU's context. Ctrl-C
    # reaches it too, but this process alone decides what that means.
    pool = one_process(signal.signal, signal.SIGINT, signal.SIG_IGN)
    try:
        machine: str = pool.schedule(_machine, args=[device, threads]).result()
        kept = store.calibration(machine, quantity)
        if kept is None:
            kept = float(pool.schedule(measure).result())
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


def working_set_of(device: str, threads: int, precision: Precision) -> float:
    """The working set, measured in this process and kept nowhere."""
    from zoo_eval.calibration import working_set
    from zoo_eval.givens import choose_device

    keep_freed()
    return working_set(choose_device(device), threads, precision)


def _speedup(device: str, threads: int) -> float:
    from zoo_eval.calibration import bf16_speedup
    from zoo_eval.givens import choose_device

    keep_freed()
    return bf16_speedup(choose_device(device), threads)
