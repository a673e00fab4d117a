"""A race on embeddings that are at hand: the rules are those of `zoo_eval.ranking`.

What a race does with a network on some images is replaced by taking the rows of these images from
its embeddings of all images. That gives the same rows but for rounding, and twenty races in place
of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo_eval.ranking.judging import Judged, judge
from zoo_eval.ranking.rounds import decided, going_on, images_per_class


@dataclass(frozen=True)
class Raced:
    """How a race went.

    Attributes:
        order: Networks, best first.
        judged: The last round.
        passes: Networks × images, all rounds together.
        full: The same if all networks had run on all images.
        work: Multiply-accumulates of the passes over those of all networks on all images.
    """

    order: list[str]
    judged: Judged
    passes: int
    full: int
    work: float


def drawn(labels: np.ndarray, per_class: int, seed: int) -> list[np.ndarray]:
    """Places of images drawn of each class, in the order in which rounds take them."""
    generator = np.random.default_rng(seed)
    return [
        generator.permutation(np.flatnonzero(labels == label))[:per_class]
        for label in np.unique(labels)
    ]


def race(
    embeddings: Mapping[str, np.ndarray],
    labels: np.ndarray,
    by_class: list[np.ndarray],
    macs: Mapping[str, float],
    top: int,
) -> Raced:
    """Rounds as `zoo_eval.ranking.race.Race` runs them, without a budget."""
    going, order = sorted(embeddings), list[str]()
    n_all = sum(map(len, by_class))
    passes, work = 0, 0.0
    judged = None
    for size in images_per_class([len(places) for places in by_class]):
        rows = np.sort(np.concatenate([places[:size] for places in by_class]))
        judged = judge(
            going,
            lambda model, rows=rows: embeddings[model][rows],
            labels[rows],
            len(by_class),
            top,
        )
        passes += len(going) * len(rows)
        work += sum(macs[model] for model in going) * len(rows)
        # Who left keeps its place behind those that went on.
        order = [*judged.order, *(model for model in order if model not in judged.order)]
        assert judged.standing is not None
        if decided(judged.standing, top):
            break
        going = list(going_on(judged.standing, top))
    assert judged is not None
    full = len(embeddings) * n_all
    return Raced(order, judged, passes, full, work / (sum(macs.values()) * n_all))
