"""For each network the one that helps it most."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from zoo_eval.ensembles.judged import judged, paired_interval
from zoo_eval.ensembles.members import Members


@dataclass(frozen=True)
class Partner:
    """A network and its best partner. Shares are of the images that did not choose it.

    Attributes:
        model: The network.
        partner: The one whose probabilities, averaged with its own, are right most often.
        accuracy: Of the network alone.
        accuracy_partner: Of the partner alone.
        together: Of their mean calibrated probabilities.
        together_plain: Of their mean probabilities without temperatures.
        added: `together` less `accuracy`: what the partner is worth to the network.
        gain: `together` less the accuracy of the better one of the two, which is chosen on the
            other images too: what the pair is worth beyond having both at hand.
        low: Of the gain, at 95 %.
        high: Of the gain.
        disagreement: Share of images that the two give different classes.
        both_wrong: Share that both give a wrong class: the double fault.
        either_right: Share that at least one gets right: the oracle's accuracy.
    """

    model: str
    partner: str
    accuracy: float
    accuracy_partner: float
    together: float
    together_plain: float
    added: float
    gain: float
    low: float
    high: float
    disagreement: float
    both_wrong: float
    either_right: float


def partners(members: Members) -> list[Partner]:
    """Of each network the best partner, in the order of the networks.

    The best of many pairs looks better than it is. So it is chosen on one half of the images, by
    the accuracy of the mean calibrated probabilities and, where that is the same, by their
    likelihood; and every number comes from the other half. The intervals are Agresti and Min's
    for paired shares; they do not know how the images happened to be cut.

    Args:
        members: At least two networks.

    References:
        "AWARE-NET: Adaptive Weighted Averaging for Robust Ensemble Network in Deepfake
            Detection", 2025, https://arxiv.org/abs/2505.00312
        Kuncheva and Whitaker, "Measures of Diversity in Classifier Ensembles and Their
            Relationship with the Ensemble Accuracy", Machine Learning 2003 (disagreement, double
            fault), https://doi.org/10.1023/A:1022859003006
    """
    names, worth = members.names, _worth(members)
    alone = worth.diagonal()
    found: list[Partner] = []
    for one, name in enumerate(names):
        others = worth[one].copy()
        others[one] = -np.inf
        best = int(others.argmax())
        better = name if alone[one] >= alone[best] else names[best]
        found.append(_judge(members, name, names[best], better))
    return found


def _worth(members: Members) -> Float[np.ndarray, "members members"]:
    """What each pair, and on the diagonal each network, is worth on the choosing half."""
    images = members.halves.choosing
    labels = members.labels[images]
    chosen = [members.calibrated[name][images] for name in members.names]
    worth = np.zeros((len(chosen), len(chosen)))
    for one, first in enumerate(chosen):
        for two, second in enumerate(chosen[one:], one):
            worth[one, two] = worth[two, one] = judged((first + second) / 2, labels)[1].sum()
    return worth


def _judge(members: Members, model: str, partner: str, better: str) -> Partner:
    labels = members.labels[members.halves.judging]

    def classes(*names: str, plain: bool = False) -> np.ndarray:
        source = members.plain if plain else members.calibrated
        images = members.halves.judging
        return np.sum([source[name][images] for name in names], axis=0).argmax(axis=1)

    one, two, pair = classes(model), classes(partner), classes(model, partner)
    right: dict[str, Bool[np.ndarray, " n"]] = {model: one == labels, partner: two == labels}
    together, best = pair == labels, right[better]
    won, lost = float(np.sum(together & ~best)), float(np.sum(best & ~together))
    low, high = paired_interval(won, lost, len(labels))
    return Partner(
        model=model,
        partner=partner,
        accuracy=float(right[model].mean()),
        accuracy_partner=float(right[partner].mean()),
        together=float(together.mean()),
        together_plain=float((classes(model, partner, plain=True) == labels).mean()),
        added=float(together.mean() - right[model].mean()),
        gain=(won - lost) / len(labels),
        low=low,
        high=high,
        disagreement=float((one != two).mean()),
        both_wrong=float((~right[model] & ~right[partner]).mean()),
        either_right=float((right[model] | right[partner]).mean()),
    )
