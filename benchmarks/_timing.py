"""Times ways of computing one number by turns, and writes the line of the table."""

import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

# OpenBLAS's threads go on spinning for some 100 ms after their last product, on the cores and on
# the account of whatever comes next.
_SECONDS_TO_CALM_DOWN = 0.2


@dataclass(frozen=True)
class Timed:
    """Median seconds of a way, by the clock and of the processor, and its value."""

    wall: float
    processor: float
    value: float


def by_turns(ways: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, Timed]:
    """Each way once, then each again, so that a busy spell of the machine meets all of them."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    values: dict[str, float] = {}
    for _ in range(repeats):
        for name, way in ways.items():
            time.sleep(_SECONDS_TO_CALM_DOWN)
            wall, processor = time.perf_counter(), time.process_time()
            values[name] = way()
            spent[name].append((time.perf_counter() - wall, time.process_time() - processor))
    found: dict[str, Timed] = {}
    for name, turns in spent.items():
        wall = statistics.median(turn[0] for turn in turns)
        processor = statistics.median(turn[1] for turn in turns)
        found[name] = Timed(wall, processor, values[name])
    return found


def table_line(what: str, baseline: Timed, ours: Timed) -> str:
    """A line of the table: seconds (of the processor), ratio (likewise), difference of values."""
    ratio = baseline.wall / ours.wall, baseline.processor / ours.processor
    return (
        f"| {what} | {baseline.wall:.2f} s ({baseline.processor:.2f}) "
        f"| {ours.wall:.2f} s ({ours.processor:.2f}) | {ratio[0]:.1f} ({ratio[1]:.1f}) "
        f"| {ours.value - baseline.value:+.1e} of {baseline.value:.4f} | {machine()} |"
    )


def machine() -> str:
    """Threads, cores and how busy the machine is."""
    torch = sys.modules.get("torch")  # not imported here: some benchmarks measure memory
    threads = f"{torch.get_num_threads()} of " if torch else ""
    return (
        f"{threads}{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, torch {version('torch')}"
    )


def like_a_network(n: int, d: int, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and labels with the spectrum of a trained network's, float64.

    Classes in turn, each around a mean of its own, with 0.7 times its spread within; the j-th
    feature is j^−½ as wide as the first; the mean squared length is 4d. In float32 dse-dsmi would
    round the distances, and its value by 10⁻⁸.
    """
    rng = np.random.default_rng(seed)
    widths = np.arange(1, d + 1) ** -0.5
    labels = np.arange(n) % n_classes
    z = (rng.normal(size=(n_classes, d)) * widths)[labels]
    z += 0.7 * rng.normal(size=(n, d)) * widths
    z *= 2 * np.sqrt(d / np.mean(np.sum(z**2, axis=1)))
    return z, labels
