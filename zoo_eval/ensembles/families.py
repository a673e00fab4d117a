"""Two tiers: networks of a family averaged, then families with weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zoo_eval.ensembles.judged import judged, paired_interval
from zoo_eval.ensembles.members import Members, Probabilities
from zoo_eval.ensembles.mixture import log_loss, mixture_weights


@dataclass(frozen=True)
class Family:
    """A family in the average of all.

    Attributes:
        family: Its name.
        n_models: Networks of it.
        weight: Of the family, fitted to the choosing half; all families' add up to 1.
        weight_plain: The same without temperatures.
        accuracy: Of the mean of its networks, on the judging half.
        best_alone: Accuracy there of the network of it that was best on the choosing half.
    """

    family: str
    n_models: int
    weight: float
    weight_plain: float
    accuracy: float
    best_alone: float


@dataclass(frozen=True)
class Average:
    """A way to answer with many networks, and what it is worth on the judging half.

    Attributes:
        name: What is done.
        accuracy: Share of right answers.
        gain: `accuracy` less that of the network that was best on the choosing half.
        low: Of the gain, at 95 %.
        high: Of the gain.
        log_loss: In nats, calibrated.
        log_loss_plain: Without temperatures.
    """

    name: str
    accuracy: float
    gain: float
    low: float
    high: float
    log_loss: float
    log_loss_plain: float


def two_tiers(members: Members, families: Mapping[str, str]) -> tuple[list[Family], list[Average]]:
    """Average the networks of each family, then the families with fitted weights.

    AWARE-NET's two tiers on frozen networks: the mean of a family's probabilities, then
    Σ αₖ pₖ with α of least log loss on the choosing half, see `mixture_weights`.

    Args:
        members: The networks.
        families: Family of each of them.

    Returns:
        The families, those of most weight first; and the best network alone, the mean of all
        networks, the mean of all families and the weighted one, in this order.

    References:
        "AWARE-NET: Adaptive Weighted Averaging for Robust Ensemble Network in Deepfake
            Detection", 2025, https://arxiv.org/abs/2505.00312
    """
    names = sorted({families[name] for name in members.names})
    of_family = [[n for n in members.names if families[n] == family] for family in names]
    best = _best(members, members.names)
    alone = _right(members, members.calibrated[best])
    weights: dict[str, np.ndarray] = {}
    ways: dict[str, dict[str, Probabilities]] = {}
    tier: list[Probabilities] = []
    for word, probabilities in members.both():
        tier = [_mean(probabilities, models) for models in of_family]  # last the calibrated one
        weights[word] = mixture_weights(_of_labels(members, tier))
        equal = np.full(len(tier), 1 / len(tier))
        ways[word] = {
            f"{best} alone": probabilities[best],
            "mean of all networks": _mean(probabilities, members.names),
            "mean of all families": _weighted(tier, equal),
            "weighted families": _weighted(tier, weights[word]),
        }
    found = [
        Family(
            family=family,
            n_models=len(models),
            weight=float(weights["calibrated"][place]),
            weight_plain=float(weights["plain"][place]),
            accuracy=float(_right(members, tier[place]).mean()),
            best_alone=float(_right(members, members.calibrated[_best(members, models)]).mean()),
        )
        for place, (family, models) in enumerate(zip(names, of_family, strict=True))
    ]
    found.sort(key=lambda family: -family.weight)
    return found, [
        _average(members, name, way, ways["plain"][name], alone)
        for name, way in ways["calibrated"].items()
    ]


def _best(members: Members, names: Sequence[str]) -> str:
    """The network that is best on the choosing half."""
    images = members.halves.choosing
    labels = members.labels[images]
    return max(names, key=lambda n: float(judged(members.calibrated[n][images], labels)[1].sum()))


def _of_labels(members: Members, tier: Sequence[Probabilities]) -> Float[np.ndarray, "chosen k"]:
    images = members.halves.choosing
    return np.column_stack([each[images, members.labels[images]] for each in tier])


def _mean(probabilities: Mapping[str, Probabilities], names: Sequence[str]) -> Probabilities:
    total = np.zeros_like(probabilities[names[0]], np.float64)
    for name in names:
        total += probabilities[name]
    return total / len(names)


def _weighted(tier: Sequence[Probabilities], weights: Float[np.ndarray, " k"]) -> Probabilities:
    total = np.zeros_like(tier[0])
    for weight, each in zip(weights, tier, strict=True):
        total += weight * each
    return total


def _right(members: Members, probabilities: Probabilities) -> np.ndarray:
    images = members.halves.judging
    return probabilities[images].argmax(axis=1) == members.labels[images]


def _average(
    members: Members, name: str, way: Probabilities, plain: Probabilities, alone: np.ndarray
) -> Average:
    images = members.halves.judging
    own = members.labels[images]
    right = _right(members, way)
    won, lost = float(np.sum(right & ~alone)), float(np.sum(alone & ~right))
    low, high = paired_interval(won, lost, len(images))
    return Average(
        name=name,
        accuracy=float(right.mean()),
        gain=(won - lost) / len(images),
        low=low,
        high=high,
        log_loss=log_loss(way[images, own]),
        log_loss_plain=log_loss(plain[images, own]),
    )
