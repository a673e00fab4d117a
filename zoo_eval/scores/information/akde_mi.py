"""Mutual information of embeddings and classes by kernel density estimation (aKDE)."""

from functools import partial

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.errors import InputError
from zoo_eval.quantities.distances import squared_distances
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score
from zoo_eval.scores.information._components import principal_components
from zoo_eval.scores.information._null import permutation_null

_NOISE_SHARE = 0.1  # standard deviation of the adaptive noise, of the largest activity


@score(unit="bits", higher_is_better=True)
def akde_mi(
    embeddings: Shaped[np.ndarray, "n d"],
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    on: str = "components",
    n_components: int = 3,
    noise: str | float | int = "adaptive",
    permutations: int = 10,
    seed: int = 0,
) -> float:
    """What noisy embeddings tell about the class, from densities of Gaussians around the images.

    To each value t normal noise of variance v is added, so that information is finite. With
    pᵢ(S) the mean of exp(−‖tᵢ − tⱼ‖² / 2v) over the images j of a set S,
    I(T; Y) ≤ mean over i of log₂(pᵢ(class of i) / pᵢ(all)) (Kolchinsky and Tracey's bound with
    the Kullback–Leibler divergence; the upper bounds of H(T) and H(T | Y), each one entropy of a
    mixture, subtracted). From it the mean over random orders of the labels is taken off.

    The noise is what matters. The paper's adapts to the layer: it grows with the largest
    activity. Ours has a standard deviation of a tenth of the largest distance of a value from
    the mean, which makes the score independent of scale. The paper's code has a fixed one,
    passes its standard deviation, 0.01, as the variance, and takes the absolute value of the
    activity. Small noise saturates: 1,797 digits of 64 pixels give 3.32 = log₂ 10 bits on three
    components with v = 0.001 max|t|, and just as much with labels in random order; with ours
    they give 2.65 and 0.70. In all d dimensions the values saturate at H(Y) with nearly any
    noise. Kolchinsky and Tracey's lower bound is this with 4 times the noise variance.

    Args:
        embeddings: One row per image.
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        on: `"components"`, the first principal components together; or `"dimensions"`, the
            mean over single features, in O(n² d): a minute for 1,000 images of 768 features.
        n_components: Number of principal components; at least d for the embeddings as they are.
        noise: `"adaptive"`, or the variance v.
        permutations: Random orders of the labels; 0 takes off no null.
        seed: Start of the random orders.

    Returns:
        Bits, from about 0 (nothing; chance can take it below) to at most H(Y) ≤ log₂ C less the
        null. Unchanged by translation, by reordering images (but for images as far from the
        mean as each other, which can change places in the null) and by renaming classes; with
        adaptive noise by scale; on components by rotation.

    Raises:
        InputError: an option is not one of the above.
        ScoreUndefinedError: there is one class only, or all embeddings are equal.

    References:
        Chelombiev et al., "Adaptive Estimators Show Information Compression in Deep Neural
        Networks", ICLR 2019, https://arxiv.org/abs/1902.09037
        Kolchinsky and Tracey, "Estimating Mixture Entropy with Pairwise Distances", Entropy
        2017, https://arxiv.org/abs/1706.02419

    >>> z = np.array([[0.0], [0.0], [9.0], [9.0]])
    >>> labels = np.array([0, 0, 1, 1])
    >>> round(akde_mi(embeddings=z, labels=labels, permutations=0), 6)
    1.0
    """
    ids, sizes = class_ids(labels, "aKDE information")
    components = principal_components(centred_svd, n_components, "aKDE information")
    if on == "components":
        groups = [components]
    elif on == "dimensions":
        z = embeddings.astype(np.float64)
        groups = [(z[:, j] - z[:, j].mean())[:, None] for j in range(z.shape[1])]
    else:
        raise InputError(f"on must be 'components' or 'dimensions', but is {on!r}.")
    order_by = centred_svd.left**2 @ centred_svd.singular_values**2
    excess = [
        class_information(kernel, ids)
        - permutation_null(
            partial(class_information, kernel),
            sizes,
            order_by,
            permutations=permutations,
            seed=seed,
        )
        for kernel in (_kernel(points, noise) for points in groups)
    ]
    return float(np.mean(excess))


def gaussian_kernel(
    points: Float[np.ndarray, "n k"], variance: float | int
) -> Float[np.ndarray, "n n"]:
    """exp(−‖tᵢ − tⱼ‖² / 2v), 1 on the diagonal."""
    return np.exp(squared_distances(points) / (-2 * variance))


def _kernel(points: Float[np.ndarray, "n k"], noise: str | float | int) -> Float[np.ndarray, "n n"]:
    """Kernel with the noise that the option asks for."""
    if noise == "adaptive":
        largest = np.abs(points).max()
        return gaussian_kernel(points / (largest or 1), _NOISE_SHARE**2)
    if isinstance(noise, (str, bool)) or not 0 < noise < np.inf:
        raise InputError(f"noise must be 'adaptive' or a variance above 0, but is {noise!r}.")
    return gaussian_kernel(points, noise)


def image_information(kernel: Float[np.ndarray, "n n"]) -> float:
    """I(T; X) ≤ −mean log₂ mean exp(−‖tᵢ − tⱼ‖² / 2v): which image it is, in bits."""
    return float(-np.log2(kernel.mean(axis=1)).mean())


def class_information(kernel: Float[np.ndarray, "n n"], ids: Int[np.ndarray, " n"]) -> float:
    """I(T; Y) ≤ I(T; X) less its mean within the classes, in bits."""
    sizes = np.bincount(ids)
    of_own_class = class_sums(kernel, ids, len(sizes))[ids, np.arange(len(ids))]
    return image_information(kernel) + float(np.log2(of_own_class / sizes[ids]).mean())
