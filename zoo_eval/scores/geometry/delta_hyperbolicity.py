"""Gromov's δ-hyperbolicity of the embeddings, relative to their diameter."""

import numpy as np
from jaxtyping import Float

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores._score import score

_ROWS = 16  # rows whose maxima are kept together, so that they stay in the processor's cache


@score(unit="fraction of half the diameter", higher_is_better=None, bounds=(0.0, 1.0))
def delta_hyperbolicity(
    squared_distances: Float[np.ndarray, "n n"],
    *,
    base: str | int = "medoid",
    max_images: int = 1500,
    seed: int = 0,
) -> float:
    """How far the distances between the images are from those of a tree.

    With a base point p, (x|y) = (d(p, x) + d(p, y) − d(x, y)) / 2 is how far the ways from p to
    x and to y run together. In a tree (x|y) ≥ min((x|z), (z|y)) for every z; δ is by how much
    that fails at most: δ = max over x, y, z of min((x|z), (z|y)) − (x|y). The score is
    δ_rel = 2 δ / (largest distance).

    δ depends on p, by a factor of 2 at most. The code of Khrulkov et al. takes the first image
    (here `base=0`); we take the medoid, the image with the smallest sum of squared distances, so
    that no order of the images matters. For more than 1,500 images that code takes the mean of
    ten random samples of 1,500, drawn with replacement, so that images are doubled (which cannot
    raise a maximum) and a sample of 1,500 of 1,500 images has 948 of them; we take one sample,
    without replacement. It needs n³ numbers at once, 27 GB for 1,500 images; we need n².

    Args:
        squared_distances: ‖zᵢ − zⱼ‖², one row and one column per image.
        base: `"medoid"`, or the number of an image.
        max_images: Of more images, a random sample of as many is taken, by `seed`; with a number
            for `base`, that image stays in it.
        seed: Start of the random sample.

    Returns:
        From 0 (a tree: the points of a line, or images all equally far from each other) to 1;
        the corners of a square have 2 − √2. Unchanged by rotation, translation, scale and, up to
        `max_images` images, by reordering.

    Raises:
        InputError: base is neither of the two, or max_images below 4.
        ScoreUndefinedError: all embeddings are equal.

    References:
        Khrulkov et al., "Hyperbolic Image Embeddings", CVPR 2020, https://arxiv.org/abs/1904.02239
        Fournier et al., "Computing the Gromov hyperbolicity of a discrete metric space", 2015,
        https://arxiv.org/abs/1210.3323

    >>> ring = np.array([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0.0]])
    >>> delta_hyperbolicity(ring**2)
    1.0
    """
    n = len(squared_distances)
    if max_images < 4:
        raise InputError(f"max_images must be ≥ 4, as 3 are always a tree, but is {max_images}.")
    p = _base_point(squared_distances, base)
    chosen = np.arange(n)
    if n > max_images:
        order = np.random.default_rng(seed).permutation(n)
        # The base point comes first in the sample whether drawn or not.
        chosen = np.sort(np.append(order[order != p][: max_images - 1], p))
    distances = np.sqrt(squared_distances[np.ix_(chosen, chosen)])
    diameter = float(distances.max())
    if diameter == 0:
        raise ScoreUndefinedError(
            f"δ-hyperbolicity is relative to the largest distance, but all {n} embeddings are "
            "equal. Are the weights damaged?"
        )
    from_base = distances[int(np.searchsorted(chosen, p))]
    products = (np.add.outer(from_base, from_base) - distances) / 2
    return 2 * _delta(products) / diameter


def _base_point(squared_distances: Float[np.ndarray, "n n"], base: str | int) -> int:
    """Number of the image that the option asks for."""
    n = len(squared_distances)
    if base == "medoid":
        return int(np.argmin(squared_distances.sum(axis=1)))
    if isinstance(base, (str, bool)) or not 0 <= base < n:
        raise InputError(f"base must be 'medoid' or an image, 0 … {n - 1}, but is {base!r}.")
    return base


def _delta(products: Float[np.ndarray, "n n"]) -> float:
    """Maximum over i, j of max over k of min(Gᵢₖ, Gₖⱼ), less Gᵢⱼ, in O(n) memory."""
    n = len(products)
    largest = 0.0  # k = i gives min(Gᵢᵢ, Gᵢⱼ) − Gᵢⱼ = 0
    for start in range(0, n, _ROWS):
        rows = products[start : start + _ROWS]
        # G is symmetric, so the pairs with j before this block have been seen.
        best = rows[:, start:].copy()
        smaller = np.empty_like(best)
        for k in range(n):
            np.minimum(rows[:, k, None], products[k, None, start:], out=smaller)
            np.maximum(best, smaller, out=best)
        largest = max(largest, float((best - rows[:, start:]).max()))
    return largest
