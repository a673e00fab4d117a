"""Accuracy of the nearest class mean learnt from a few images of a few classes."""

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.stats import t as student_t

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import Estimate, score

_CHUNK = 4_000_000  # numbers held at a time, so that memory does not grow with the episodes
_ROUNDING = 1e-12  # of vectors of length 1: distances this close are equal


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0))
def few_shot_accuracy(
    embeddings: Shaped[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    ways: int = 5,
    shots: int = 1,
    queries: int = 5,
    episodes: int = 1000,
    seed: int = 0,
) -> float:
    """Mean accuracy over episodes of the nearest mean of a few images of each class.

    An episode draws `ways` classes, and of each `shots` images to learn from and `queries` others
    to judge by. Embeddings have the mean of all images taken off and are scaled to length 1.
    Each query is given the class whose shots' mean is nearest. When m means are equally near,
    one of them being right counts 1/m.

    This is SimpleShot's "CL2N", but for two things. SimpleShot centres by the images that the
    network was trained on, which we do not have. It draws 15 queries; how many has no influence
    on the expected accuracy, and with few, small classes can take part. An image that is equal
    to the mean of all has no direction, and stays at 0. Classes of fewer than shots + queries
    images take no part.

    Args:
        embeddings: One row per image.
        labels: Class of each image.
        ways: Classes of an episode, at least 2.
        shots: Images of each class to learn from.
        queries: Images of each class to judge by.
        episodes: Number of episodes, at least 2.
        seed: Start of the draws.

    Returns:
        Fraction of queries that are given their own class, from 0 to 1; 1 / ways is chance. Its
        interval is Student's over the episodes, at 95 %: what other draws of the same images
        would give, not other images. Unchanged by rotation, translation and scale; another order
        of images or classes makes other episodes.

    Raises:
        InputError: an option is too small.
        ScoreUndefinedError: fewer than `ways` classes have shots + queries images.

    References:
        Wang et al., "SimpleShot: Revisiting Nearest-Neighbor Classification for Few-Shot
        Learning", 2019, https://arxiv.org/abs/1911.04623
        Peng et al., "SAM-Aware Graph Prompt Reasoning Network for Cross-Domain Few-Shot
        Segmentation", AAAI 2025 (such episodes), https://arxiv.org/abs/2406.08372

    >>> classes = np.arange(60) % 6
    >>> found = few_shot_accuracy(np.eye(6)[classes], classes)
    >>> found, found.low, found.high
    (1.0, 1.0, 1.0)
    """
    options = {"ways": ways, "shots": shots, "queries": queries, "episodes": episodes}
    for (name, value), least in zip(options.items(), (2, 1, 1, 2), strict=True):
        if value < least:
            raise InputError(f"{name} must be ≥ {least}, but is {value}.")
    ids, sizes = class_ids(labels, "Few-shot accuracy")
    drawn = shots + queries
    classes = np.flatnonzero(sizes >= drawn)
    if len(classes) < ways:
        raise ScoreUndefinedError(
            f"Episodes of {ways} classes need {ways} classes with {shots} + {queries} images, but "
            f"{len(classes)} of {len(sizes)} have so many; the largest has {sizes.max()}."
        )
    z = _directions(embeddings)
    by_class = np.argsort(ids, kind="stable")
    starts = np.cumsum(sizes) - sizes
    rng = np.random.default_rng(seed)
    per_episode = max(ways * drawn * z.shape[1], ways * int(sizes[classes].max()), len(classes))
    step = max(1, _CHUNK // per_episode)
    accuracies: list[np.ndarray] = []
    for start in range(0, episodes, step):
        n_now = min(step, episodes - start)
        chosen = classes[_subsets(rng, np.full(n_now, len(classes)), ways)]
        places = _subsets(rng, sizes[chosen].ravel(), drawn).reshape(n_now, ways, drawn)
        images = by_class[starts[chosen][:, :, None] + places]
        accuracies.append(_episode_accuracies(z[images], shots))
    return _mean_with_interval(np.concatenate(accuracies))


def _directions(embeddings: Shaped[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Embeddings less their mean, scaled to length 1; what is rounding of the mean becomes 0."""
    z = embeddings.astype(np.float64)
    rounding = np.finfo(np.float64).eps * max(z.shape) * np.linalg.norm(z, axis=1).max()
    z -= z.mean(axis=0)
    lengths = np.linalg.norm(z, axis=1, keepdims=True)
    return np.divide(z, lengths, out=np.zeros_like(z), where=lengths > rounding)


def _subsets(
    rng: np.random.Generator, sizes: Int[np.ndarray, " sets"], drawn: int
) -> Int[np.ndarray, "sets drawn"]:
    """For each size, that many of 0 … size − 1 without repetition, in random order."""
    keys = rng.random((len(sizes), int(sizes.max())))
    keys[np.arange(keys.shape[1]) >= sizes[:, None]] = 2  # above all random numbers
    nearest = np.argpartition(keys, drawn - 1, axis=1)[:, :drawn]
    order = np.argsort(np.take_along_axis(keys, nearest, axis=1), axis=1)
    return np.take_along_axis(nearest, order, axis=1)


def _episode_accuracies(
    z: Float[np.ndarray, "episodes ways drawn d"], shots: int
) -> Float[np.ndarray, " episodes"]:
    """Share of each episode's queries whose nearest mean is that of their class."""
    n, ways, drawn, d = z.shape
    means = z[:, :, :shots].mean(axis=2)
    queries = z[:, :, shots:].reshape(n, ways * (drawn - shots), d)
    # ‖q − μ‖² less ‖q‖², which is the same for all classes
    distances = np.sum(means**2, axis=2)[:, None] - 2 * queries @ means.transpose(0, 2, 1)
    winners = distances <= distances.min(axis=2, keepdims=True) + _ROUNDING
    own = np.repeat(np.arange(ways), drawn - shots)
    right = winners[:, np.arange(len(own)), own] / winners.sum(axis=2)
    return right.mean(axis=1)


def _mean_with_interval(accuracies: Float[np.ndarray, " episodes"]) -> Estimate:
    n = len(accuracies)
    mean = float(accuracies.mean())
    half = float(student_t.ppf(0.975, n - 1)) * float(accuracies.std(ddof=1)) / np.sqrt(n)
    return Estimate(mean, low=max(0.0, mean - half), high=min(1.0, mean + half))
