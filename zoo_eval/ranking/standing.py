"""How sure a ranking is: a bootstrap over the images that made it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.ranking.evidence import Evidence

RESAMPLES = 1000
_SURE = 0.95
# Standard normal quantiles: a 95 % interval, and the power to see a difference 8 times of 10.
_Z_INTERVAL, _Z_POWER = 1.959964, 0.841621


@dataclass(frozen=True)
class Standing:
    """Networks that were judged by the same images, best first.

    Attributes:
        models: Names.
        value: Mean log likelihood of each.
        chance_top: How often each is among the first k when the images are drawn again.
        chance_best: How often it is the first.
        group: Networks of one number cannot be told apart from the first of them; 1, 2, …
    """

    models: tuple[str, ...]
    value: tuple[float, ...]
    chance_top: tuple[float, ...]
    chance_best: tuple[float, ...]
    group: tuple[int, ...]


def standing(
    evidence: Mapping[str, Evidence], labels: Int[np.ndarray, " n"], top: int, seed: int = 0
) -> Standing:
    """Rank networks by their mean log likelihood, and resample the images within each class.

    What it covers: that other images of the same classes could have been drawn. The probes are
    not fitted again for each resample, and nothing is said of images unlike these.

    Args:
        evidence: By network, all of the same images.
        labels: Class of each image.
        top: k.
        seed: Of the resampling.
    """
    names = sorted(evidence)
    values = np.stack([evidence[name].log_likelihood for name in names])
    order = np.argsort(-values.mean(axis=1), kind="stable")
    values = values[order]
    means = _resampled_means(values, labels, seed)
    places = (-means).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return Standing(
        models=tuple(names[i] for i in order),
        value=tuple(values.mean(axis=1).tolist()),
        chance_top=tuple((places < top).mean(axis=1).tolist()),
        chance_best=tuple((places == 0).mean(axis=1).tolist()),
        group=_groups(means),
    )


def _resampled_means(
    values: Float[np.ndarray, "models n"], labels: Int[np.ndarray, " n"], seed: int
) -> Float[np.ndarray, "models resamples"]:
    """Mean of each network over each resample, drawn with replacement within each class."""
    generator = np.random.default_rng(seed)
    sums = np.zeros((len(values), RESAMPLES))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        share = np.full(len(members), 1 / len(members))
        counts = generator.multinomial(len(members), share, size=RESAMPLES)
        sums += values[:, members] @ counts.T
    return sums / len(labels)


def _groups(means: Float[np.ndarray, "models resamples"]) -> tuple[int, ...]:
    """Numbers of the groups; a group's first is better than the next group's in 95 % of draws.

    A group takes in networks from its first on, until one is reached that the first beats so.
    """
    groups: list[int] = []
    first = 0
    for place in range(len(means)):
        if place and float(np.mean(means[first] > means[place])) >= 1 - (1 - _SURE) / 2:
            first = place
            groups.append(groups[-1] + 1)
        else:
            groups.append(groups[-1] if groups else 1)
    return tuple(groups)


@dataclass(frozen=True)
class Separation:
    """What it would take to tell the first two networks apart.

    Attributes:
        first: The better one, as it seems.
        second: The other.
        more_images: Labelled images beyond those at hand; None: no number would do, or more than
            a billion; 0: they are told apart already.
    """

    first: str
    second: str
    more_images: int | None


def separation(
    evidence: Mapping[str, Evidence], labels: Int[np.ndarray, " n"], ranked: Standing
) -> Separation | None:
    """How many more images would separate the first two; None if there is one network only.

    With δ the mean over images of the difference of their log likelihoods and s its standard
    deviation within classes, n images separate them (95 % interval, in 8 of 10 cases) if
    n ≥ ((1.96 + 0.84) s / δ)². That takes δ for the true difference, which it is only about.
    """
    if len(ranked.models) < 2:
        return None
    first, second = ranked.models[:2]
    if ranked.group[1] > 1:
        return Separation(first, second, 0)
    difference = evidence[first].log_likelihood - evidence[second].log_likelihood
    mean = float(difference.mean())
    _, ids, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    class_means = np.bincount(ids, difference) / sizes
    variance = float(np.mean((difference - class_means[ids]) ** 2))
    if mean <= 0 or (needed := (_Z_INTERVAL + _Z_POWER) ** 2 * variance / mean**2) > 1e9:
        return Separation(first, second, None)
    return Separation(first, second, max(1, math.ceil(needed) - len(labels)))
