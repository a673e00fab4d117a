"""LiDAR, the effective rank of linear discriminant analysis."""

import numpy as np
from jaxtyping import Int
from scipy.linalg import cholesky, solve_triangular

from zoo_eval.errors import InputError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._class_means import class_means
from zoo_eval.scores.geometry._spectrum import exp_entropy


@score(unit="dimensions", higher_is_better=True, bounds=(1.0, np.inf))
def lidar(
    centred_svd: ThinSvd, labels: Int[np.ndarray, " n"], *, delta: float | int = 1e-4
) -> float:
    """Effective rank of the variance between classes, in units of that within classes.

    With class means μ_c, their plain mean μ, Σ_B = Σ_c (μ_c − μ)(μ_c − μ)ᵀ / (C − 1),
    Σ_W = Σᵢ (zᵢ − μ_{yᵢ})(zᵢ − μ_{yᵢ})ᵀ / (n − C) + δI, and the eigenvalues λ of
    Σ_W^(−½) Σ_B Σ_W^(−½), LiDAR = exp(−Σⱼ pⱼ ln pⱼ) with p = λ / Σλ.

    The paper's classes are not classes: it takes about 1000 images, each an object of its own
    with 50 augmented views, and needs no labels. Here a dataset is given once and its classes
    play the part of the objects, so this is the rank of linear discriminant analysis: it knows
    the labels and cannot exceed C − 1.

    Implementations differ. stable-pretraining computes the paper's matrix and adds 10⁻⁸ to each
    λ, which moves the value by less than 10⁻⁶ in the tests; it needs classes of one size, where
    it equals this. reptrix takes the matrix for data, takes off its mean row and squares its
    spectrum: 4.21 in place of 4.71 for 6 classes. δ is absolute, so the value depends on the
    scale of the embeddings unless they are large against √δ.

    Computed in the basis of the SVD of the centred embeddings, k ≤ min(n, d) wide and exact: no
    class mean lies outside it.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image; classes of any size, a class of one only counts in Σ_B.
        delta: δ, above 0.

    Returns:
        Number of directions that tell classes apart, from 1 to min(C − 1, d). Unchanged by
        rotation, translation, reordering images and renaming classes.

    Raises:
        InputError: delta is not above 0.
        ScoreUndefinedError: there is one class only, no class has two images, or all class means
            are equal.

    References:
        Thilak et al., "LiDAR: Sensing Linear Probing Performance in Joint Embedding SSL
        Architectures", ICLR 2024, https://arxiv.org/abs/2312.04000
        rbalestr-lab/stable-pretraining, stable_pretraining/callbacks/lidar.py.

    >>> z = np.array([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])
    >>> round(lidar(embeddings=z, labels=np.array([0, 0, 1, 1])), 6)
    1.0
    """
    if not 0 < delta < np.inf:
        raise InputError(f"delta, which keeps Σ_W invertible, must be above 0, but is {delta}.")
    coordinates = centred_svd.left * centred_svd.singular_values
    means = class_means(coordinates, labels, "LiDAR")
    n_free = len(means.ids) - len(means.sizes)
    within = means.residuals.T @ means.residuals / n_free
    within[np.diag_indices_from(within)] += delta
    # The eigenvalues are, up to C − 1, the squared singular values of L⁻¹ (μ_c − μ), LLᵀ = Σ_W.
    whitened = solve_triangular(cholesky(within, lower=True), means.offsets.T, lower=True)
    values = np.linalg.svd(whitened, compute_uv=False)
    return exp_entropy((values / values[0]) ** 2)
