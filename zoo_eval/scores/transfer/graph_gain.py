"""What a step over the graph of prototypes adds to few-shot accuracy."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.scores._episodes import directions, draw_episodes
from zoo_eval.scores._score import score
from zoo_eval.scores._student import mean_with_interval

_EPSILON = 1e-8  # GPRN's, in the sum of a row
_ROUNDING = 1e-12  # cosines this close are equal


@score(unit="fraction", higher_is_better=None, bounds=(-1.0, 1.0))
def graph_gain(
    embeddings: Shaped[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    weight: float = 0.1,
    ways: int = 5,
    shots: int = 1,
    queries: int = 5,
    episodes: int = 1000,
    seed: int = 0,
) -> float:
    """Few-shot accuracy with prototypes that have seen each other, less that without.

    The episodes are those of `few_shot_accuracy`: embeddings less their mean, of length 1. A
    prototype is the mean of a class's shots, scaled to length 1 (with several shots
    `few_shot_accuracy` does not scale it), and a query is given the class of the largest cosine;
    where m are equally large, a right one counts 1/m. The graph joins the prototypes P of an
    episode: with A the cosines between them, negative ones set to 0, and each row divided by its
    sum + 10⁻⁸, they become P + w A P.

    In GPRN's code negative cosines stay, and a row's sum can come near 0; its features are not
    centred, and there are few. Its nodes are parts of one image. A weak mapping.

    Args:
        embeddings: One row per image.
        labels: Class of each image.
        weight: w; 0 gives 0.
        ways: Classes of an episode, at least 2; with 2 both prototypes move alike, which gives 0.
        shots: Images of each class to learn from.
        queries: Images of each class to judge by.
        episodes: Number of episodes, at least 2.
        seed: Start of the draws.

    Returns:
        Difference of two accuracies, from −1 to 1. Its interval is Student's over the episodes, at
        95 %.

    Raises:
        InputError: an option is too small.
        ScoreUndefinedError: fewer than `ways` classes have shots + queries images.

    References:
        Peng et al., "SAM-Aware Graph Prompt Reasoning Network for Cross-Domain Few-Shot
        Segmentation", AAAI 2025, https://arxiv.org/abs/2406.08372

    >>> classes = np.arange(60) % 6
    >>> graph_gain(np.eye(6)[classes], classes)  # always right, with and without
    0.0
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
    gains: list[np.ndarray] = []
    for images in drawn:
        prototypes = _unit(z[images[:, :, :shots]].mean(axis=2))
        asked = z[images[:, :, shots:]]
        stepped = _unit(graph_step(prototypes, weight))
        gains.append(_accuracies(stepped, asked) - _accuracies(prototypes, asked))
    return mean_with_interval(np.concatenate(gains), (-1.0, 1.0))


def graph_step(
    prototypes: Float[np.ndarray, "episodes ways d"], weight: float
) -> Float[np.ndarray, "episodes ways d"]:
    """P + w A P, with A the cosines between an episode's prototypes of length 1, by rows."""
    near = np.maximum(prototypes @ prototypes.transpose(0, 2, 1), 0)
    shares = near / (near.sum(axis=2, keepdims=True) + _EPSILON)
    return prototypes + weight * shares @ prototypes


def _accuracies(
    prototypes: Float[np.ndarray, "episodes ways d"],
    queries: Float[np.ndarray, "episodes ways queries d"],
) -> Float[np.ndarray, " episodes"]:
    """Share of each episode's queries with the largest cosine at their own class."""
    n, ways, per_class, d = queries.shape
    cosines = queries.reshape(n, ways * per_class, d) @ prototypes.transpose(0, 2, 1)
    winners = cosines >= cosines.max(axis=2, keepdims=True) - _ROUNDING
    own = np.repeat(np.arange(ways), per_class)
    return np.mean(winners[:, np.arange(len(own)), own] / winners.sum(axis=2), axis=1)


def _unit(vectors: Float[np.ndarray, "episodes ways d"]) -> Float[np.ndarray, "episodes ways d"]:
    lengths = np.linalg.norm(vectors, axis=2, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > _ROUNDING)
