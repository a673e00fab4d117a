"""How long a round takes: multiply-accumulates over a measured rate, corrected as it goes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from zoo_eval.estimate import EFFICIENCY, SECONDS_PER_UNIT, matrix_rate
from zoo_eval.manifest import ModelLine
from zoo_eval.ranking.candidates import count

START_S = 5.0  # of the worker processes, once a round
# Of a network whose multiply-accumulates the manifest does not say; a ResNet-50 has 4.1e9.
_UNKNOWN_MACS = 4e9
_WIDTH, _BYTES = 1024, 4  # of an embedding and its logits
# With 1,024 features, and how many classes take as long again.
_JUDGING_S, _CLASSES = 3e-4, 25


@dataclass(frozen=True)
class Speed:
    """Seconds of one worker.

    Attributes:
        per_network: To build a network and to compute its scores.
        per_mac: For one multiply-accumulate.
    """

    per_network: float
    per_mac: float

    def seconds(self, line: ModelLine, n_images: int) -> float:
        """For one network and so many images."""
        return self.per_network + self.per_mac * macs(line) * n_images

    def round_seconds(self, lines: Sequence[ModelLine], n_images: int, workers: int) -> float:
        """Of a round with all these networks, on so many workers."""
        if not lines:
            return 0.0
        each = [self.seconds(line, n_images) for line in lines]
        # No less than the longest one; and workers end at different times.
        return START_S + max(max(each), sum(each) / min(workers, len(lines)))


@dataclass(frozen=True)
class Judging:
    """Seconds to judge networks by their embeddings of the same images.

    Attributes:
        per_image: Of one network, while there are few images.
    """

    per_image: float

    def seconds(self, n_networks: int, n_images: int) -> float:
        """For so many networks and images."""
        return self.per_image * n_networks * _effort(n_images)


@dataclass(frozen=True)
class Timed:
    """How long a network took on so many images."""

    macs: float
    n_images: int
    seconds: float


def first_speed(workers: int) -> Speed:
    """What this machine's matrix rate promises, right within a factor of about three."""
    return Speed(SECONDS_PER_UNIT, workers / (matrix_rate() * EFFICIENCY))


def first_judging(n_classes: int) -> Judging:
    """What it took on one core of a server, right within a factor of ten: features vary."""
    return Judging(_JUDGING_S * (1 + n_classes / _CLASSES))


def judging_of(n_networks: int, n_images: int, seconds: float) -> Judging:
    """As fast as it was seen to be."""
    return Judging(seconds / (n_networks * _effort(n_images)))


def _effort(n_images: int) -> float:
    """A decomposition of n images takes n², as long as they are fewer than their features."""
    return n_images * (1 + min(n_images, _WIDTH) / _WIDTH)


def corrected(speed: Speed, seen: Iterable[Timed]) -> Speed:
    """The speed that fits what was seen, by non-negative least squares; as it was if too little."""
    times = list(seen)
    if len(times) < 3:
        return speed
    work = np.array([each.macs * each.n_images for each in times])
    scale = float(work.max()) or 1.0
    design = np.stack([np.ones(len(times)), work / scale], axis=1)
    found, _ = nnls(design, np.array([each.seconds for each in times]))
    # A term that came out as nothing is one that these networks do not show.
    slope = float(found[1]) / scale
    return Speed(float(found[0]), slope if slope > 0 else speed.per_mac)


def macs(line: ModelLine) -> float:
    """Multiply-accumulates of one image; a ResNet-50's if the manifest does not say."""
    return float(count(line, "macs") or _UNKNOWN_MACS)


def that_fit(
    lines: Sequence[ModelLine], speed: Speed, n_images: int, workers: int, seconds: float
) -> Sequence[ModelLine]:
    """The first of these networks, as many as a round of so many seconds holds."""
    fewest, most = 0, len(lines)
    while fewest < most:
        middle = (fewest + most + 1) // 2
        if speed.round_seconds(lines[:middle], n_images, workers) <= seconds:
            fewest = middle
        else:
            most = middle - 1
    return lines[:fewest]


def arrays_bytes(n_networks: int, n_images: int) -> int:
    """Disk for embeddings and logits of so many networks, about."""
    return n_networks * n_images * _WIDTH * _BYTES


def weights_bytes(lines: Iterable[ModelLine]) -> int:
    """Of the weights that have to be downloaded, at most."""
    return sum(_BYTES * (count(line, "params") or 0) for line in lines if line.weights_file is None)
