"""Processor cores and threads, so that workers never fight over them."""

import joblib


def usable_cores() -> int:
    """Cores that this process may use: its affinity and its container's quota count.

    `os.cpu_count` says what the machine has; in a batch system's slot of 4 of 128 cores that would
    start 128 workers.
    """
    return joblib.cpu_count()


def threads_of_each(workers: int) -> int:
    """Threads for each of so many workers: together no more than there are cores."""
    return max(1, usable_cores() // workers)
