"""N-LEEP, LEEP with the components of a Gaussian mixture in place of source classes."""

import warnings

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import t
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import Estimate, score
from zoo_eval.scores.transfer._empirical_prediction import empirical_likelihoods

_VARIANCE = 0.8
_IMAGES_PER_COMPONENT = 10
_SKLEARN_NAMES = {"diagonal": "diag", "full": "full"}


@score(unit="nats per image", higher_is_better=True, bounds=(-np.inf, 0.0))
def nleep(
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    covariance: str = "diagonal",
    components_per_class: int = 5,
    seeds: int = 5,
) -> float:
    """Mean log likelihood of the classes under a predictor read off a clustering.

    The embeddings are reduced to the principal components that hold 80 % of the variance. A
    mixture of K Gaussians is fitted to them, and its posteriors θ(x)_z take the place of the
    network's class probabilities in LEEP: (1/n) Σᵢ ln Σ_z P(yᵢ | z) θ(xᵢ)_z, with
    P(y | z) ∝ Σ_{i: yᵢ = y} θ(xᵢ)_z. The value is the mean over fits from several seeds.

    Implementations differ. With K = 5 C and full covariances, as in the paper, components get
    fewer images than parameters: the code in google-research (seed 123) then raises for four
    of six reference sets of 96 to 360 images, and gives 0, the value of a perfect network, for
    the others. SFDA's code takes no logarithm and no seed; with K = C, ten seeds spread from
    0.79 to 1.00 on one set. Here covariances are diagonal in the basis of the principal
    components, K is 5 C but at most n / 10 (and at least 2), and the mean over 5 seeds comes
    with its interval. Features are divided by the largest deviation of a component, so that the
    10⁻⁶ that scikit-learn adds to variances has no unit. Fits stop after 100 steps.

    2,000 images of 100 classes take about 6 seconds on one core, 500 images 0.3; that is more
    than other scores of embeddings.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        covariance: Of each Gaussian, `"diagonal"` or `"full"`.
        components_per_class: K / C where there are images enough.
        seeds: Number of fits, from 2; seeds are 0, 1, ….

    Returns:
        Nats per image, up to 0 (clusters determine the classes), with the 95 % interval of
        the mean over seeds (Student's t). Unchanged by rotation, translation, scale and
        renaming classes. Another order of the images is another random start.

    Raises:
        InputError: an option is out of its range.
        ScoreUndefinedError: there is one class only, there are fewer than 4 images, all
            embeddings are equal, or a full covariance cannot be fitted.

    References:
        Li et al., "Ranking Neural Checkpoints", CVPR 2021, https://arxiv.org/abs/2011.11200

    >>> z = np.array([[1.0], [1.1], [1.2], [9.0], [9.1], [9.2]])
    >>> round(abs(nleep(embeddings=z, labels=np.array([0, 0, 0, 1, 1, 1]))), 6)
    0.0
    """
    if covariance not in _SKLEARN_NAMES:
        raise InputError(f"covariance must be 'diagonal' or 'full', but is {covariance!r}.")
    if components_per_class < 1 or seeds < 2:
        raise InputError(
            "components_per_class must be ≥ 1 and seeds ≥ 2, but they are "
            f"{components_per_class} and {seeds}."
        )
    ids, sizes = class_ids(labels, "N-LEEP")
    n = len(ids)
    if n < 4 or len(centred_svd.singular_values) == 0:
        raise ScoreUndefinedError(
            "N-LEEP clusters embeddings that vary, of 4 or more images, but there are "
            f"{n} images of rank {len(centred_svd.singular_values)}."
        )
    points = _main_components(centred_svd) / (centred_svd.singular_values[0] / np.sqrt(n))
    n_components = max(2, min(components_per_class * len(sizes), n // _IMAGES_PER_COMPONENT))
    values = np.empty(seeds)
    for seed in range(seeds):
        theta = _posteriors(points, n_components, covariance, seed)
        values[seed] = min(0.0, np.log(empirical_likelihoods(theta, ids, len(sizes))).mean())
    reach = float(t.ppf(0.975, seeds - 1) * values.std(ddof=1) / np.sqrt(seeds))
    mean = float(values.mean())
    return Estimate(mean, low=mean - reach, high=min(0.0, mean + reach))


def _main_components(centred_svd: ThinSvd) -> Float[np.ndarray, "n k"]:
    """The principal components that together exceed 80 % of the variance."""
    left, values, _ = centred_svd
    shares = np.cumsum(values**2 / np.sum(values**2))
    k = int(np.searchsorted(shares, _VARIANCE, side="right")) + 1
    return left[:, :k] * values[:k]


def _posteriors(
    points: Float[np.ndarray, "n k"],
    n_components: int,
    covariance: str,
    seed: int | np.random.RandomState,
) -> Float[np.ndarray, "n components"]:
    """Posteriors of a Gaussian mixture fitted from k-means with this seed."""
    mixture = GaussianMixture(
        n_components, covariance_type=_SKLEARN_NAMES[covariance], random_state=seed
    )
    with warnings.catch_warnings():
        # Stopping after 100 steps is part of the definition. Duplicate images can leave k-means
        # with fewer clusters than asked for, and the mixture with equal components.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            return mixture.fit(points).predict_proba(points)
        except ValueError as error:
            raise ScoreUndefinedError(
                f"A mixture of {n_components} Gaussians with {covariance} covariance cannot be "
                f"fitted to {len(points)} images in {points.shape[1]} dimensions: {error}"
            ) from None
