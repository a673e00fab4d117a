"""PARC, the pairwise annotation representation comparison."""

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.spatial.distance import squareform

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import centred_svd
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score

_DECIMALS = 12  # distances that agree to these decimals are ties; rounding is about 1e-15


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
    points = _principal_components(embeddings, n_components)
    distances = _of_pairs(_correlations(_standardised(points)))
    np.subtract(1, distances, out=distances)
    np.round(distances, _DECIMALS, out=distances)
    if distances.min() == distances.max():
        raise ScoreUndefinedError(
            f"PARC ranks distances, but those of all {len(distances)} pairs of images are equal, "
            f"{distances[0]:.6g}."
        )
    same = _of_pairs(np.equal.outer(ids, ids))
    return float(np.clip(_rank_correlation(distances, same), -1.0, 1.0))


def _of_pairs(matrix: Shaped[np.ndarray, "n n"]) -> Shaped[np.ndarray, " pairs"]:
    """The entries above the diagonal."""
    return squareform(matrix, checks=False)


def _rank_correlation(x: Float[np.ndarray, " pairs"], low: Bool[np.ndarray, " pairs"]) -> float:
    """Spearman's correlation of x with a list of two values, the smaller where `low` is true.

    Only the ranks of the low ones are needed, as in the rank-sum test: with N numbers, of which
    m are low with rank sum S, and tied groups of t,

        ρ = (m (N + 1)/2 − S) / √((N³ − Σ t³)/12 · m (N − m)/N).

    One sort of x in place of one of its indices, and no correlation of two long lists.
    """
    ordered, of_low = np.sort(x), np.sort(x[low])  # sorted ones are found three times as fast
    n, m = len(x), len(of_low)
    below = np.searchsorted(ordered, of_low, "left").sum()
    ranks = (below + np.searchsorted(ordered, of_low, "right").sum()) / 2  # less 1/2 each
    starts = np.append(0, 1 + np.flatnonzero(ordered[1:] != ordered[:-1]))
    ties = np.diff(starts, append=n).astype(np.float64)
    spread = (float(n) ** 3 - (ties**3).sum()) / 12 * m * (n - m) / n
    return float((m * n / 2 - ranks) / np.sqrt(spread))


def _principal_components(
    embeddings: Shaped[np.ndarray, "n d"], n_components: int
) -> Float[np.ndarray, "n k"]:
    """The embeddings less their mean, or their first principal components."""
    z = embeddings.astype(np.float64)
    z -= z.mean(axis=0)
    if n_components == 0:
        return z
    left = centred_svd(embeddings).left[:, :n_components]
    loadings = z.T @ left
    largest = np.abs(loadings).argmax(axis=0)
    return left * np.sign(loadings[largest, np.arange(left.shape[1])])


def _standardised(points: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Each column over its deviation; constant columns become 0."""
    deviations = points.std(axis=0)
    # What the mean leaves behind in a constant column is rounding.
    constant = np.ptp(points, axis=0) == 0
    return np.where(constant, 0.0, points / np.where(constant, 1.0, deviations))


def _correlations(points: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n n"]:
    """Pearson correlation of each two rows."""
    rows = points - points.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1)
    flat = lengths <= points.shape[1] * np.finfo(np.float64).eps * np.abs(points).max()
    if flat.any():
        raise ScoreUndefinedError(
            f"PARC correlates features within an image, but {int(flat.sum())} of {len(points)} "
            f"images have one value in all {points.shape[1]} standardised features."
        )
    rows /= lengths[:, None]
    return rows @ rows.T
