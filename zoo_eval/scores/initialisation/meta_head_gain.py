"""What a start that was learnt from some classes is worth for few-shot learning of others."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._episodes import Members
from zoo_eval.scores._score import score
from zoo_eval.scores._student import mean_with_interval
from zoo_eval.scores.initialisation._heads import Heads, accuracies, coordinates, descend
from zoo_eval.scores.initialisation._prototypes import PrototypeHead
from zoo_eval.scores.initialisation._reptile import Losses, reptile

_AXES = 256  # principal axes that heads see, which bounds time and memory
_AT_MEAN = 1e-6  # of the deviation along the first axis: embeddings this near the mean are at it
_RATE = 0.1
_TASKS = 4  # per round of Reptile
_ROUNDS = 20
_INNER_STEPS = 10


class _Run(NamedTuple):
    """One split of the classes, one way round."""

    rng: np.random.Generator
    teaching: Int[np.ndarray, " some"]
    judging: Int[np.ndarray, " others"]


@score(unit="fraction", higher_is_better=None, bounds=(-1.0, 1.0))
def meta_head_gain(
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    ways: int = 2,
    shots: int = 5,
    queries: int = 5,
    steps: int = 5,
    rank: int = 8,
    episodes: int = 50,
    splits: int = 4,
    seed: int = 0,
) -> float:
    """Few-shot accuracy from a start that Reptile learnt on other classes, less that from none.

    A head changes embeddings to z + U V z, with V of `rank` rows, and judges an image by the
    cosines with the classes' prototypes, the means of their shots. By default U = 0, so that the
    head changes nothing, and V is normal of variance 1/rank. Half of the classes are drawn to
    learn a better start from: 20 rounds of Reptile, each of which takes 4 episodes of `ways`
    classes with `shots` images, does 10 steps of gradient descent on each, from the same start,
    and moves the start to the mean of where they end. The loss is the cross-entropy of 10 cosines
    of each shot; the prototype of its own class leaves it out. On episodes of the other half of
    the classes heads then do `steps` such steps on the shots, from the learnt start and from the
    default, and are judged on `queries` other images of each class. Then the halves change places.
    Each split draws halves, V and episodes anew.

    The embeddings have their mean taken off, are reduced to their first 256 principal axes and
    scaled to length 1. Classes of fewer than shots + queries images take no part. Two ways keep
    this defined from four classes on; with ten, three ways tell more.

    A weak mapping: of the paper this keeps the learnt start for adaptation to little data, and
    Reptile with an outer rate of 1. Its Adam is plain gradient descent of rate 0.1 here.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        ways: Classes of an episode, at least 2.
        shots: Images of each class to adapt to, at least 2.
        queries: Images of each class to judge by.
        steps: Of adaptation; with 0 the starts themselves are compared.
        rank: Rows of V.
        episodes: Judging episodes of each half.
        splits: Draws of the halves, at least 2.
        seed: Start of the draws.

    Returns:
        Difference of two accuracies, from −1 to 1; positive if what some classes need helps with
        others. Its interval is Student's over the splits, at 95 %.

    Raises:
        InputError: an option is too small.
        ScoreUndefinedError: fewer than 2 · ways classes have shots + queries images, or all
            embeddings are equal.

    References:
        Sun et al., "MetaCap: Meta-learning Priors from Multi-View Imagery for Sparse-view Human
        Performance Capture and Rendering", ECCV 2024, https://arxiv.org/abs/2403.18820
        Nichol et al., "On First-Order Meta-Learning Algorithms" (Reptile), 2018,
        https://arxiv.org/abs/1803.02999

    >>> classes = np.arange(60) % 4
    >>> meta_head_gain(embeddings=np.eye(4)[classes], labels=classes)  # both always right
    0.0
    """
    for name, value, least in (
        *(("ways", ways, 2), ("shots", shots, 2), ("queries", queries, 1), ("steps", steps, 0)),
        *(("rank", rank, 1), ("episodes", episodes, 1), ("splits", splits, 2)),
    ):
        if value < least:
            raise InputError(f"{name} must be ≥ {least}, but is {value}.")
    members, drawn = Members(labels, "Meta-learning"), shots + queries
    classes = np.flatnonzero(members.sizes >= drawn)
    if len(classes) < 2 * ways:
        raise ScoreUndefinedError(
            f"Meta-learning needs {ways} classes to learn from and {ways} others to be judged by, "
            f"with {shots} + {queries} images, but {len(classes)} of {len(members.sizes)} classes "
            f"have so many; the largest has {members.sizes.max()}."
        )
    z = _directions(centred_svd)
    rngs = [np.random.default_rng([seed, split]) for split in range(splits)]
    halves = [np.array_split(rng.permutation(classes), 2) for rng in rngs]
    # Each half in turn teaches, and the other judges.
    taught = [
        _Run(rng, half[i], half[1 - i])
        for rng, half in zip(rngs, halves, strict=True)
        for i in (0, 1)
    ]
    head = PrototypeHead(z.shape[1], rank)
    plain = head.new([run.rng for run in taught])

    def tasks() -> Losses:
        images = [members.draw(run.rng, run.teaching, ways, shots, _TASKS) for run in taught]
        shown = z[np.concatenate(images)]
        return lambda heads: head.losses(heads, shown)

    learnt = reptile(
        plain, tasks, tasks=_TASKS, rounds=_ROUNDS, inner_rate=_RATE, inner_steps=_INNER_STEPS
    )
    images = [members.draw(run.rng, run.judging, ways, drawn, episodes) for run in taught]
    episode = z[np.concatenate(images)]
    gains = [
        _accuracies(head, start.repeat_interleave(episodes, dim=0), episode, shots, steps)
        for start in (learnt, plain)
    ]
    of_splits = (gains[0] - gains[1]).reshape(splits, -1).mean(axis=1)
    return mean_with_interval(of_splits, (-1.0, 1.0))


def _accuracies(
    head: PrototypeHead,
    start: Heads,
    episodes: Float32[Tensor, "heads ways drawn d"],
    shots: int,
    steps: int,
) -> Float[np.ndarray, " heads"]:
    """Of each head on its own episode's queries, after so many steps on its shots."""
    shown, queries = episodes[:, :, :shots], episodes[:, :, shots:]
    ends = descend(start, lambda heads: head.losses(heads, shown), rate=_RATE, steps=steps)
    right = torch.arange(queries.shape[1]).repeat_interleave(queries.shape[2])
    return accuracies(head.logits(ends, shown, queries), right.expand(len(ends), -1))


def _directions(svd: ThinSvd) -> Float32[Tensor, "n k"]:
    """Embeddings less their mean, scaled to length 1; what is rounding of the mean becomes 0."""
    z = torch.from_numpy(coordinates(svd, _AXES))
    lengths = torch.linalg.vector_norm(z, dim=1, keepdim=True)
    return torch.where(lengths > _AT_MEAN, z / lengths, 0)
