"""LEEP, the log expected empirical prediction."""

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.errors import InputError
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.transfer._empirical_prediction import empirical_likelihoods


@score(unit="nats per image", higher_is_better=True, bounds=(-np.inf, 0.0))
def leep(
    source_probabilities: Float[np.ndarray, "n source_classes"], labels: Int[np.ndarray, " n"]
) -> float:
    """Mean log likelihood of the classes under a predictor read off the network's own classes.

    Let θ(x)_z be the probability that the network gives to its class z. From all images,
    P(y, z) = (1/n) Σ_{i: yᵢ = y} θ(xᵢ)_z and P(y | z) = P(y, z) / Σ_y' P(y', z). Then
    LEEP = (1/n) Σᵢ ln Σ_z P(yᵢ | z) θ(xᵢ)_z.

    θ are probabilities after the softmax, never logits, in float64: in float32 a class of the
    network can get no mass at all, and official code then returns NaN. Such a class
    contributes nothing here. P(y | z) is fitted on the images that it is judged on, which is
    optimistic when the network has about as many classes as there are images.

    Args:
        source_probabilities: θ; one row per image, one column per class of the network.
        labels: Class of each image in the dataset.

    Returns:
        Nats per image, up to 0 (the network's classes determine the dataset's). A network
        that gives all images the same probabilities gets −H(Y), −ln C for equal classes.
        Unchanged by reordering images and by renaming either kind of class.

    Raises:
        InputError: rows are not probabilities.
        ScoreUndefinedError: there is one class only; LEEP is then 0 for every network.

    References:
        Nguyen et al., "LEEP", ICML 2020, Eqs. (1) and (2), https://arxiv.org/abs/2002.12462

    >>> round(leep(np.full((4, 3), 1 / 3), np.array([0, 0, 1, 1])), 6)  # −ln 2
    -0.693147
    """
    theta = source_probabilities.astype(np.float64)
    _check_probabilities(theta)
    ids, sizes = class_ids(labels, "LEEP")
    return min(0.0, float(np.log(empirical_likelihoods(theta, ids, len(sizes))).mean()))


def _check_probabilities(theta: Float[np.ndarray, "n source_classes"]) -> None:
    sums = theta.sum(axis=1)
    worst = float(sums[np.argmax(np.abs(sums - 1))])
    if theta.min() < 0 or abs(worst - 1) > 1e-3:
        raise InputError(
            "source_probabilities must be probabilities, each row ≥ 0 with sum 1, but the "
            f"smallest entry is {theta.min():.4g} and one row sums to {worst:.4g}. Are they logits?"
        )
