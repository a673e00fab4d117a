"""What is said of a race before it starts: networks, rounds, time and disk."""

from collections.abc import Sequence
from dataclasses import dataclass

from zoo_eval.manifest import ModelLine
from zoo_eval.ranking.forecast import Speed, arrays_bytes, weights_bytes
from zoo_eval.ranking.rounds import MOST_IMAGES, images_per_class

# Without labels there is nothing to leave out: one round, of so many images.
UNLABELLED_IMAGES = 1000


@dataclass(frozen=True)
class PlannedRound:
    """A round before it is run.

    Attributes:
        images_per_class: At most.
        n_images: In total.
        seconds: If every network were in it.
    """

    images_per_class: int
    n_images: int
    seconds: float


@dataclass(frozen=True)
class RacePlan:
    """A race before it starts.

    Attributes:
        n_networks: Candidates.
        n_classes: Classes of the images; 0 without labels.
        n_images: All images of the source.
        rounds: At most these.
        least_seconds: If nearly all leave after the first round.
        most_seconds: If nobody ever leaves, which is the full evaluation.
        arrays_bytes: For embeddings, at most, about.
        weights_bytes: To download, at most.
    """

    n_networks: int
    n_classes: int
    n_images: int
    rounds: tuple[PlannedRound, ...]
    least_seconds: float
    most_seconds: float
    arrays_bytes: int
    weights_bytes: int


def plan_of(
    lines: Sequence[ModelLine], counts: Sequence[int], *, labelled: bool, speed: Speed, workers: int
) -> RacePlan:
    """The plan of a race.

    Args:
        lines: The candidates.
        counts: Images of each class; without labels, of all.
        labelled: Whether the images have labels.
        speed: Of this machine.
        workers: Worker processes.
    """
    sizes = images_per_class(counts) if labelled else (min(counts[0], UNLABELLED_IMAGES),)
    totals = [sum(min(size, n) for n in counts) for size in sizes]
    seconds = [speed.round_seconds(lines, total, workers) for total in totals]
    return RacePlan(
        n_networks=len(lines),
        n_classes=len(counts) if labelled else 0,
        n_images=sum(counts),
        rounds=tuple(map(PlannedRound, sizes, totals, seconds)),
        least_seconds=seconds[0],
        most_seconds=sum(seconds),
        arrays_bytes=sum(arrays_bytes(len(lines), min(total, MOST_IMAGES)) for total in totals),
        weights_bytes=weights_bytes(lines),
    )
