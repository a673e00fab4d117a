"""Draws of a few images of each of a few classes, as few-shot learning is judged by."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores._classes import class_ids

_CHUNK = 4_000_000  # numbers held at a time, so that memory does not grow with the episodes


class Members:
    """The images of each class.

    Args:
        labels: Class of each image.
        score_name: Who asks, for the error.

    Raises:
        ScoreUndefinedError: all images have the same class.
    """

    def __init__(self, labels: Int[np.ndarray, " n"], score_name: str) -> None:
        ids, self.sizes = class_ids(labels, score_name)
        self._by_class = np.argsort(ids, kind="stable")
        self._starts = np.cumsum(self.sizes) - self.sizes

    def draw(
        self,
        rng: np.random.Generator,
        classes: Int[np.ndarray, " classes"],
        ways: int,
        drawn: int,
        episodes: int,
    ) -> Int[np.ndarray, "episodes ways drawn"]:
        """For each episode `ways` of these classes, and of each `drawn` images."""
        chosen = classes[subsets(rng, np.full(episodes, len(classes)), ways)]
        places = subsets(rng, self.sizes[chosen].ravel(), drawn).reshape(episodes, ways, drawn)
        return self._by_class[self._starts[chosen][:, :, None] + places]


def draw_episodes(
    labels: Int[np.ndarray, " n"],
    width: int,
    *,
    ways: int,
    shots: int,
    queries: int,
    episodes: int,
    seed: int,
) -> Iterator[Int[np.ndarray, "some ways drawn"]]:
    """The images of all episodes, some episodes at a time: of each class first its shots.

    Args:
        labels: Class of each image.
        width: Numbers that are held for each image.
        ways: Classes of an episode, at least 2.
        shots: Images of each class to learn from.
        queries: Images of each class to judge by.
        episodes: Number of episodes, at least 2.
        seed: Start of the draws.

    Raises:
        InputError: an option is too small.
        ScoreUndefinedError: fewer than `ways` classes have shots + queries images.
    """
    options = {"ways": ways, "shots": shots, "queries": queries, "episodes": episodes}
    for (name, value), least in zip(options.items(), (2, 1, 1, 2), strict=True):
        if value < least:
            raise InputError(f"{name} must be ≥ {least}, but is {value}.")
    members, drawn = Members(labels, "Few-shot accuracy"), shots + queries
    classes = np.flatnonzero(members.sizes >= drawn)
    if len(classes) < ways:
        raise ScoreUndefinedError(
            f"Episodes of {ways} classes need {ways} classes with {shots} + {queries} images, but "
            f"{len(classes)} of {len(members.sizes)} have so many; the largest has "
            f"{members.sizes.max()}."
        )
    rng = np.random.default_rng(seed)
    largest = int(members.sizes[classes].max())
    step = max(1, _CHUNK // max(ways * drawn * width, ways * largest, len(classes)))
    for start in range(0, episodes, step):
        yield members.draw(rng, classes, ways, drawn, min(step, episodes - start))


def directions(embeddings: Shaped[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Embeddings less their mean, scaled to length 1; what is rounding of the mean becomes 0."""
    z = embeddings.astype(np.float64)
    rounding = np.finfo(np.float64).eps * max(z.shape) * np.linalg.norm(z, axis=1).max()
    z -= z.mean(axis=0)
    lengths = np.linalg.norm(z, axis=1, keepdims=True)
    return np.divide(z, lengths, out=np.zeros_like(z), where=lengths > rounding)


def subsets(
    rng: np.random.Generator, sizes: Int[np.ndarray, " sets"], drawn: int
) -> Int[np.ndarray, "sets drawn"]:
    """For each size, that many of 0 … size − 1 without repetition, in random order."""
    keys = rng.random((len(sizes), int(sizes.max())))
    keys[np.arange(keys.shape[1]) >= sizes[:, None]] = 2  # above all random numbers
    nearest = np.argpartition(keys, drawn - 1, axis=1)[:, :drawn]
    order = np.argsort(np.take_along_axis(keys, nearest, axis=1), axis=1)
    return np.take_along_axis(nearest, order, axis=1)
