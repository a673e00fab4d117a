"""Mutual information of embeddings and classes from nearest neighbours."""

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import KDTree
from scipy.special import digamma

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.information._components import principal_components

_ROUNDING = 1e-10  # of the range of the points: distances this close are equal


@score(unit="bits", higher_is_better=True)
def ksg_mi(
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    n_components: int = 3,
    k: int = 3,
    estimator: str = "ross",
) -> float:
    """How much nearer the neighbours of an image's own class are than the neighbours of any.

    In the space of the first principal components, with the largest difference of a coordinate
    for a distance, let ρᵢ be the distance from image i
    to the k-th nearest other of its class, kᵢ and mᵢ the numbers of others of its class and of
    all others no farther than ρᵢ, ψ the digamma function. `estimator="ross"`, Ross's form for
    classes of Kraskov, Stögbauer and Grassberger's estimator, is
    I = ψ(n) + mean over i of ψ(kᵢ) − ψ(n of its class) − ψ(mᵢ).

    `estimator="entropies"` is H(Z) − Σ_y p(y) H(Z | y) with the Kozachenko–Leonenko entropy
    ψ(n) − ψ(k) + D (ln 2 + mean ln ρᵢ), as in NPEET's `micd`. It is the difference of large
    numbers, and has no value with duplicates.

    No null is taken off: with labels in random order `"ross"` gives 0 to about ±0.02 bits,
    where binning gives bits. Implementations differ. scikit-learn takes single features only,
    replaces what is below 0 by 0, and adds noise against ties; NPEET adds unseeded noise, so
    that duplicates contribute the logarithm of the noise, and takes the absolute value of I.
    Here ties count as in Gao et al.: kᵢ is above k if others are as far as the k-th. A class of
    k images or fewer takes all of its others for neighbours; an image that is alone in its
    class is left out, as in scikit-learn. (In `"entropies"`, a class of at most k images has
    H(Z | y) = H(Z), as in NPEET.)

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        n_components: Number of principal components. In more than a few dimensions the
            estimate falls short.
        k: Number of neighbours; more give less variance and more bias, towards 0.
        estimator: `"ross"` or `"entropies"`.

    Returns:
        Bits, from about 0 (nothing; chance can take it below) to about H(Y) ≤ log₂ C, which
        distant classes surpass if they are small: by 0.07 bits with 10 images each. Unchanged
        by rotation, translation and scale of the embeddings, by reordering images and by renaming
        classes.

    Raises:
        InputError: an option is not one of the above.
        ScoreUndefinedError: there is one class only, or none but one has two images; all
            embeddings are equal; or, in `"entropies"`, there are k images or fewer, or more
            than k of a class are equal.

    References:
        Ross, "Mutual Information between Discrete and Continuous Data Sets", PLoS ONE 2014,
        https://doi.org/10.1371/journal.pone.0087357
        Kraskov et al., "Estimating mutual information", Physical Review E 2004,
        https://arxiv.org/abs/cond-mat/0305641
        Gao et al., "Estimating Mutual Information for Discrete-Continuous Mixtures", NeurIPS
        2017, https://arxiv.org/abs/1709.06212 (ties).

    >>> z = np.concatenate([np.arange(50.0), np.arange(50.0) + 1000])[:, None]
    >>> labels = np.repeat([0, 1], 50)
    >>> round(ksg_mi(embeddings=z, labels=labels), 2)  # ψ(100) − ψ(50) is just above ln 2
    1.01
    """
    if k < 1:
        raise InputError(f"k, the number of neighbours, must be ≥ 1, but is {k}.")
    if estimator not in ("ross", "entropies"):
        raise InputError(f"estimator must be 'ross' or 'entropies', but is {estimator!r}.")
    ids, sizes = class_ids(labels, "KSG information")
    z = principal_components(centred_svd, n_components, "KSG information")
    if estimator == "entropies":
        return entropy_difference(z, ids, k)
    several = sizes[ids] > 1
    if np.sum(sizes > 1) < 2:
        raise ScoreUndefinedError(
            f"KSG information needs two classes of two or more images, but of {len(sizes)} classes "
            f"{int(np.sum(sizes > 1))} have as many."
        )
    return neighbour_information(z[several], ids[several], k)


def neighbour_information(
    points: Float[np.ndarray, "n d"], ids: Int[np.ndarray, " n"], k: int
) -> float:
    """Ross's estimate in bits, from points as they are; each class needs two of them."""
    slack = _ROUNDING * np.ptp(points, axis=0).max()
    n = len(ids)
    reach = np.empty(n)
    n_near_of_class = np.empty(n)
    sizes = np.empty(n)
    for members in _classes(ids):
        tree = KDTree(points[members])
        reach[members] = _nearest(tree, min(k, len(members) - 1)) + slack
        n_near_of_class[members] = _n_within(tree, reach[members])
        sizes[members] = len(members)
    n_near = _n_within(KDTree(points), reach)
    terms = digamma(n_near_of_class) - digamma(sizes) - digamma(n_near)
    return float((digamma(n) + terms.mean()) / np.log(2))


def entropy_difference(
    points: Float[np.ndarray, "n d"], ids: Int[np.ndarray, " n"], k: int
) -> float:
    """H(Z) − Σ_y p(y) H(Z | y) in bits, from points as they are."""
    whole = _entropy(points, k)
    shares = [(points[members], len(members) / len(ids)) for members in _classes(ids)]
    gains = [share * (whole - _entropy(z, k)) for z, share in shares if len(z) > k]
    return float(sum(gains) / np.log(2))


def _entropy(points: Float[np.ndarray, "n d"], k: int) -> float:
    """Kozachenko–Leonenko entropy in nats."""
    n, d = points.shape
    if n <= k:
        raise ScoreUndefinedError(f"{k} neighbours need {k + 1} images, but there are {n}.")
    reach = _nearest(KDTree(points), k)
    n_equal = int(np.sum(reach <= _ROUNDING * np.ptp(points, axis=0).max()))
    if n_equal:
        raise ScoreUndefinedError(
            f"The entropy of equal images is not finite, but {n_equal} of {n} images are equal to "
            f"{k} or more others. Take estimator='ross'."
        )
    return float(digamma(n) - digamma(k) + d * (np.log(2) + np.log(reach).mean()))


def _classes(ids: Int[np.ndarray, " n"]) -> list[np.ndarray]:
    """Images of each class."""
    _, sizes = np.unique(ids, return_counts=True)
    return np.split(np.argsort(ids, kind="stable"), np.cumsum(sizes)[:-1])


def _nearest(tree: KDTree, k: int) -> Float[np.ndarray, " n"]:
    """Distance from each point of the tree to the k-th nearest other."""
    return tree.query(tree.data, k + 1, p=np.inf)[0][:, -1]  # the nearest is the point itself


def _n_within(tree: KDTree, reach: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Number of other points of the tree within reach of each."""
    return tree.query_ball_point(tree.data, reach, p=np.inf, return_length=True) - 1
