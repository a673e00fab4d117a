"""How long a plan will take, and how much disk it needs, before it starts."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo_eval.executors.cores import usable_cores
from zoo_eval.plan import Unit
from zoo_eval.runner import Prepared

# Passes over the probe batch, in forward passes: each gradient score is about three.
PASSES_PER_PROBE_SCORE = 3
# Networks reach about this share of the matrix rate; small and depthwise ones far less.
EFFICIENCY = 0.15
SECONDS_PER_UNIT = 2.0  # building the network, distances, decompositions
BYTES_PER_SCORE = 400  # a row with its share of keys and indices


@dataclass(frozen=True)
class Estimate:
    """What a plan is expected to cost."""

    seconds: float
    disk_bytes: int
    download_bytes: int
    basis: str

    def time_text(self) -> str:
        """The time as a person says it."""
        minutes = self.seconds / 60
        if minutes < 2:
            return f"{self.seconds:.0f} seconds"
        return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"

    def disk_text(self) -> str:
        """The disk space as a person says it."""
        text = f"{self.disk_bytes / 1e6:.1f} MB for results"
        if self.download_bytes:
            text += f", and at most {self.download_bytes / 1e9:.1f} GB of weights to download"
        return text


def estimate(prepared: Prepared, workers: int | None = None) -> Estimate:
    """Time and disk of a plan.

    Where the store has attempts at the same kind of weights, their mean time counts. Otherwise
    the published multiply-accumulates are divided by this machine's matrix rate, measured now,
    which is right within a factor of about three.
    """
    units = prepared.plan.units
    workers = max(1, min(workers or usable_cores(), max(1, len(units))))
    disk = BYTES_PER_SCORE * prepared.plan.n_scores_left
    download = sum(
        4 * _count(unit, "params")  # float32
        for unit in units
        if unit.weights == "pretrained" and unit.line.weights_file is None
    )
    known = _seconds_so_far(prepared)
    if known is not None:
        total = known * len(units)
        return Estimate(total / workers, disk, download, "as earlier attempts took here")
    macs_per_second = matrix_rate() * EFFICIENCY
    total = sum(SECONDS_PER_UNIT + _macs(unit, prepared) / macs_per_second for unit in units)
    # The rate is measured with all cores, so workers share it.
    return Estimate(total, disk, download, "from this machine's matrix rate; within a factor of 3")


def _macs(unit: Unit, prepared: Prepared) -> float:
    per_image = _count(unit, "macs")
    needs = [planned.request.score.givens() for planned in unit.scores]
    images = len(prepared.dataset) if any("images" in given for given in needs) else 0
    probes = sum("probe_images" in given for given in needs) * PASSES_PER_PROBE_SCORE
    return float(per_image * (images + probes * prepared.job.probe.images))


def _count(unit: Unit, column: str) -> int:
    value = unit.line.cells.get(column)
    return value if isinstance(value, int) else 0


def _seconds_so_far(prepared: Prepared) -> float | None:
    """Mean seconds of the job's earlier successful attempts at full units."""
    if not prepared.store.path.exists():
        return None
    seconds: Any = prepared.store.sql(
        "SELECT seconds FROM attempts JOIN runs USING (run) WHERE outcome = 'ok' AND job = ?",
        [prepared.job.name],
    )["seconds"]
    return float(seconds.mean()) if len(seconds) else None


def matrix_rate() -> float:
    """Multiply-accumulates per second of a float32 matrix product, best of three."""
    n = 1024
    a = np.ones((n, n), dtype=np.float32)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        np.dot(a, a)
        best = min(best, time.perf_counter() - start)
    return n**3 / best
