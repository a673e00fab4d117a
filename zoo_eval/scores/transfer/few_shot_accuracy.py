"""Accuracy of the nearest class mean learnt from a few images of a few classes."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.scores._episodes import directions, draw_episodes
from zoo_eval.scores._score import score
from zoo_eval.scores._student import mean_with_interval

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
    z = directions(embeddings)
    drawn = draw_episodes(
        labels,
        z.shape[1],
        ways=ways,
        shots=shots,
        queries=queries,
        episodes=episodes,
        seed=seed,
    )
    accuracies = [_episode_accuracies(z[images], shots) for images in drawn]
    return mean_with_interval(np.concatenate(accuracies), (0.0, 1.0))


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
