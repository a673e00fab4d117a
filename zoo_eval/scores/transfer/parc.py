"""PARC, the pairwise annotation representation comparison."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import centred_svd
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.threads import in_threads, row_blocks

_UNITS = 1e12  # correlations that agree to 12 decimals are ties; rounding is about 1e-15
_STRIP = 128  # images whose pairs a thread computes at a time


@score(unit="correlation", higher_is_better=True, bounds=(-1.0, 1.0))
def parc(
    embeddings: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    n_components: int = 0,
) -> float:
    """Rank correlation of the distances of embeddings with the distances of labels.

    Features are standardised over images. For each pair of images, the distance of embeddings
    is 1 − r, r the Pearson correlation of the two over the features; that of labels is 0 for
    one class and the same positive number for any two. PARC is Spearman's rank correlation of
    the two lists of n (n − 1) / 2 distances, with mean ranks for ties.

    Implementations differ. The official value is in percent. It takes the label distances from
    a correlation matrix of one-hot labels, where rounding makes three or four different
    numbers of two, so that pairs which should tie are ranked by rounding noise: 29.2 instead
    of 43.8 on a set of 7 unequal classes. Here ties are exact. The paper first reduces the
    features to 32 principal components for speed (`n_components=32`); since r compares
    components with each other, the value then depends on the arbitrary sign of each, for which
    we take the sign that makes its largest loading positive, as scikit-learn does. The official
    components come from a randomised decomposition of one step and are off too: 20.3 instead of
    23.0 on a power-law spectrum. The default needs neither.

    Takes O(n² d) for the correlations and O(n² log n) for the ranks.

    Args:
        embeddings: One row per image.
        labels: Class of each image.
        n_components: Principal components that are kept; 0 takes the features themselves.

    Returns:
        From −1 to 1 (distances of embeddings have only two values, as those of labels have);
        near 0 when the embeddings say nothing. Unchanged by scaling and shifting each
        feature, by reordering images and features and by renaming classes, but not by rotation.

    Raises:
        InputError: n_components is negative.
        ScoreUndefinedError: there is one class only, each image is a class of its own, an image
            has the same standardised value in all features, or all distances are equal.

    References:
        Bolya et al., "Scalable Diverse Model Selection for Accessible Transfer Learning",
        NeurIPS 2021, https://arxiv.org/abs/2111.06977

    >>> z = np.array([[1.0, 0, 0], [1.0, 0.1, 0], [0, 0, 1.0], [0, 0.1, 1.0]])
    >>> round(parc(embeddings=z, labels=np.array([0, 0, 1, 1])), 4)
    0.866
    """
    if n_components < 0:
        raise InputError(f"n_components must be ≥ 0 (0: no reduction), but is {n_components}.")
    ids, sizes = class_ids(labels, "PARC")
    n = len(ids)
    if len(sizes) == n:
        raise ScoreUndefinedError(
            f"PARC needs two images of one class, but all {n} are of different classes."
        )
    points = _directions(_standardised(_principal_components(embeddings, n_components)))
    similarities, of_one_class = _of_pairs(points, ids)
    similarities.sort()
    if similarities[0] == similarities[-1]:
        raise ScoreUndefinedError(
            f"PARC ranks distances, but those of all {len(similarities)} pairs of images are "
            f"equal, {1 - similarities[0] / _UNITS:.6g}."
        )
    return float(np.clip(_rank_correlation(similarities, np.sort(of_one_class)), -1.0, 1.0))


def _of_pairs(
    points: Float[np.ndarray, "n k"], ids: Int[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " pairs"], Float[np.ndarray, " same"]]:
    """Products of each two points in whole units, in any order; those of one class once more."""
    n = len(points)
    products = np.empty(n * (n - 1) // 2)

    def fill(rows: slice) -> Float[np.ndarray, " same"]:
        """The pairs of a point of these rows and a later one; those of one class."""
        m, n_later = rows.stop - rows.start, n - rows.stop
        block = points[rows] @ points[rows.start :].T
        # The pairs of the points from here on are the last ones.
        to_come = products[len(products) - (m + n_later) * (m + n_later - 1) // 2 :]
        later, among = to_come[: m * n_later], to_come[m * n_later :][: m * (m - 1) // 2]
        np.rint(block[:, m:], out=later.reshape(m, n_later))
        one, other = np.triu_indices(m, 1)
        np.rint(block[one, other], out=among)
        same_later = np.equal.outer(ids[rows], ids[rows.stop :]).ravel()
        same_among = ids[rows][one] == ids[rows][other]
        return np.concatenate([later[same_later], among[same_among]])

    starts = range(0, n, _STRIP)
    same = in_threads(fill, [slice(start, min(start + _STRIP, n)) for start in starts])
    return products, np.concatenate(same)


def _rank_correlation(
    ordered: Float[np.ndarray, " pairs"], high: Float[np.ndarray, " same"]
) -> float:
    """Spearman's correlation of ascending numbers with whether they are among the `high`.

    Only the ranks of those are needed, as in the rank-sum test: with N numbers, of which m are
    high with rank sum S, and tied groups of t,

        ρ = (S − m (N + 1)/2) / √((N³ − N − Σ (t³ − t))/12 · m (N − m)/N).

    One sort of numbers in place of one of indices, and no correlation of two long lists.

    Args:
        ordered: All numbers, ascending.
        high: Some of them, ascending too: then they are found three times as fast.
    """
    n, m = len(ordered), len(high)
    # Each mean rank is 1/2 above the mean of the numbers below and of those not above.
    places = in_threads(
        lambda side: int(np.searchsorted(ordered, high, side).sum()), ("left", "right")
    )
    ranks = sum(places) / 2
    # Numbers that equal the one before, one place after the other within a group.
    again = np.flatnonzero(ordered[1:] == ordered[:-1])
    starts = np.flatnonzero(np.diff(again, prepend=-2) > 1)
    ties = np.diff(starts, append=len(again)) + 1.0
    spread = (float(n) ** 3 - n - (ties**3 - ties).sum()) / 12 * m * (n - m) / n
    return float((ranks - m * n / 2) / np.sqrt(spread))


def _principal_components(
    embeddings: Shaped[np.ndarray, "n d"], n_components: int
) -> Float[np.ndarray, "n k"]:
    """A copy of the embeddings, or their first principal components."""
    if n_components == 0:
        return embeddings.astype(np.float64)
    left = centred_svd(embeddings).left[:, :n_components]
    z = embeddings.astype(np.float64)
    z -= z.mean(axis=0)
    loadings = z.T @ left
    largest = np.abs(loadings).argmax(axis=0)
    return left * np.sign(loadings[largest, np.arange(left.shape[1])])


def _standardised(points: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Each column less its mean and over its deviation, in place; constant ones become 0."""
    points -= points[0].copy()  # which leaves nothing of a constant column
    points -= points.mean(axis=0)
    deviations = np.sqrt(np.einsum("ij,ij->j", points, points) / len(points))
    points /= np.where(deviations == 0, 1.0, deviations)
    return points


def _directions(points: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Each row less its mean and scaled, in place, so that products are correlations in units.

    Raises:
        ScoreUndefinedError: a row has one value only.
    """
    largest = max(points.max(), -points.min())
    lengths = np.empty(len(points))

    def take_off_mean(rows: slice) -> None:
        block = points[rows]
        block -= block.mean(axis=1, keepdims=True)
        np.einsum("ij,ij->i", block, block, out=lengths[rows])

    in_threads(take_off_mean, row_blocks(*points.shape))
    np.sqrt(lengths, out=lengths)
    flat = lengths <= points.shape[1] * np.finfo(np.float64).eps * largest
    if flat.any():
        raise ScoreUndefinedError(
            f"PARC correlates features within an image, but {int(flat.sum())} of {len(points)} "
            f"images have one value in all {points.shape[1]} standardised features."
        )
    points *= (_UNITS**0.5 / lengths)[:, None]
    return points
