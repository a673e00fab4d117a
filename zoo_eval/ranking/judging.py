"""What a round says of its networks: their order, how sure it is, and their predicted accuracy."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Shaped

from zoo_eval.ranking.accuracy import Accuracy, accuracy_of
from zoo_eval.ranking.evidence import Evidence, evidence_of
from zoo_eval.ranking.standing import Separation, Standing, separation, standing


@dataclass(frozen=True)
class Judged:
    """What a round says.

    Attributes:
        order: Networks, best first.
        standing: How sure that is; None without labels.
        accuracies: Predicted for a linear probe; none without labels.
        separation: What it would take to tell the first two apart.
    """

    order: tuple[str, ...]
    standing: Standing | None = None
    accuracies: Mapping[str, Accuracy] | None = None
    separation: Separation | None = None


def judge(
    models: Sequence[str],
    embeddings: Callable[[str], Shaped[np.ndarray, "n d"]],
    labels: Int[np.ndarray, " n"],
    n_classes: int,
    top: int,
    time_left: Callable[[], float] = lambda: math.inf,
) -> Judged:
    """Rank networks by what a probe and neighbours make of their embeddings of the same images.

    Args:
        models: Their names.
        embeddings: Of a network, one row per image.
        labels: Class of each image.
        n_classes: How many there are.
        top: How many networks are wanted.
        time_left: Seconds. Networks for which it does not last are not judged; the first one is.
    """
    if not models:
        return Judged(())
    evidence: dict[str, Evidence] = {}
    longest = 0.0
    for model in models:
        before = time_left()
        if evidence and before < longest:
            break
        evidence[model] = evidence_of(embeddings(model), labels, n_classes)
        if math.isfinite(before):
            longest = max(longest, before - time_left())
    ranked = standing(evidence, labels, top)
    return Judged(
        order=ranked.models,
        standing=ranked,
        accuracies={model: accuracy_of(evidence[model].right) for model in evidence},
        separation=separation(evidence, labels, ranked),
    )


def judge_without_labels(scores: Mapping[str, float]) -> Judged:
    """Rank networks by one label-free score, the higher the better."""
    return Judged(order=tuple(sorted(scores, key=lambda model: (-scores[model], model))))
