"""TwoNN, the intrinsic dimension from the two nearest neighbours."""

import numpy as np
from jaxtyping import Float

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._neighbours import EQUAL_LOG_RATIO, nearest


@score(unit="dimensions", higher_is_better=None, bounds=(0.0, np.inf))
def twonn(
    squared_distances: Float[np.ndarray, "n n"],
    *,
    discard: float | int = 0.1,
    method: str = "fit",
) -> float:
    """Intrinsic dimension, from how much farther the second neighbour is than the first.

    Let rᵢ₁ ≤ rᵢ₂ be the distances of image i to its two nearest neighbours, and μᵢ = rᵢ₂ / rᵢ₁.
    If the density hardly changes within rᵢ₂ and the images lie on a manifold of dimension D,
    then P(μ ≤ x) = 1 − x^(−D). With μ₍₁₎ ≤ … ≤ μ₍ₙ₎ and the largest 10 % discarded, m remain:

    `"fit"`: the slope of −ln(1 − i/n) over ln μ₍ᵢ₎ through the origin, i = 1 … m (the paper).
    `"mle"`: the maximum likelihood with the discarded known only to be larger than μ₍ₘ₎:
    (m − 1) / (Σᵢ₌₁…ₘ ln μ₍ᵢ₎ + (n − m) ln μ₍ₘ₎).

    Implementations differ. Here, as in scikit-dimension, the i-th of n ratios stands for i/n;
    starting at 0/n takes off 1 to 3 %. Duplicates, images nearer than a millionth of the largest
    distance, have r₁ = 0: here such images are one point, so that copies of images change
    nothing. scikit-dimension leaves out every image that has a copy, but still counts the copies
    as two neighbours of the others, whose ratio then is 1: where 5 of 96 images have a copy it
    gives 8.87 instead of 8.43.

    The claim has no sign: CLID wants the dimension large, others find that good models have a
    small one. The value falls short of D when D is above about 10, as n would have to grow
    exponentially with D.

    Args:
        squared_distances: Squared Euclidean distances between the embeddings.
        discard: Share of the ratios, the largest, that is left out; from 0 to below 1. With
            `"fit"` at least one is left out, where −ln(1 − 1) is infinite.
        method: `"fit"` or `"mle"`.

    Returns:
        A dimension above 0, not a whole number. Unchanged by rotation, translation, scale,
        reordering images and copies of images.

    Raises:
        InputError: discard or method is none of the above.
        ScoreUndefinedError: there are fewer than three distinct images, fewer than two ratios
            are left, or all that are left are 1 within a millionth (a regular grid).

    References:
        Facco et al., "Estimating the intrinsic dimension of datasets by a minimal neighborhood
        information", Scientific Reports 2017, https://arxiv.org/abs/1803.06992
        Denti et al., "The generalized ratios intrinsic dimension estimator", Scientific Reports
        2022 (the maximum likelihood), https://doi.org/10.1038/s41598-022-20991-1
        scikit-learn-contrib/scikit-dimension, skdim.id.TwoNN.

    >>> line = np.random.default_rng(0).uniform(size=(500, 1)) * np.array([[3.0, 4.0]])
    >>> round(twonn(embeddings=line))
    1
    """
    if not 0 <= discard < 1:
        raise InputError(f"discard, a share of the images, must be in [0, 1), but is {discard}.")
    if method not in ("fit", "mle"):
        raise InputError(f"method must be 'fit' or 'mle', but is {method!r}.")
    first, second = nearest(squared_distances, 2, "TwoNN").T
    return _dimension(np.log(second / first) / 2, discard, method)


def _dimension(log_ratios: Float[np.ndarray, " n"], discard: float | int, method: str) -> float:
    """Dimension from ln μ, in any order."""
    n = len(log_ratios)
    n_kept = int(n * (1 - discard))
    if method == "fit":
        n_kept = min(n_kept, n - 1)
    if n_kept < 2:
        raise ScoreUndefinedError(
            f"TwoNN needs at least 2 ratios, but {n_kept} of {n} are left with discard={discard}."
        )
    kept = np.sort(log_ratios)[:n_kept]
    if kept[-1] < EQUAL_LOG_RATIO:
        raise ScoreUndefinedError(
            f"TwoNN needs second neighbours that are farther than the first, but for {n_kept} of "
            f"{n} images both are equally far. Are the embeddings a regular grid?"
        )
    if method == "mle":
        return float((n_kept - 1) / (kept.sum() + (n - n_kept) * kept[-1]))
    heights = -np.log1p(-np.arange(1, n_kept + 1) / n)
    return float(heights @ kept / (kept @ kept))
