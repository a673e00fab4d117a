"""Diffusion spectral mutual information (DSMI) of embeddings and classes."""

import numpy as np
from jaxtyping import Int

from zoo_eval.quantities.distances import ImageDistances
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.information._diffusion import (
    diffusion_information,
    of_features,
    variance_of,
)


@score(unit="bits", higher_is_better=True)
def dsmi(
    image_distances: ImageDistances,
    labels: Int[np.ndarray, " n"],
    *,
    bandwidth: str | float | int = "sqrt_dim",
    t: float | int = 1,
    features: str = "raw",
    entropy: str = "spectral",
    repeats: int = 5,
    seed: int = 0,
) -> float:
    """Diffusion spectral mutual information of the embeddings Z and the classes Y.

    DSMI(Z; Y) = Σ_c (n_c / n) (mean over r of DSE(R_cr) − DSE(Z_c)), with Z_c the n_c images
    of class c and R_cr random subsets of n_c of all n images. DSE grows with the number of
    images, which is why each class is compared with subsets of its own size; see `dse`.

    As in the original code, the generator starts anew at `seed` for each class, so classes of
    equal size share their subsets. The same images in the same order give the original's
    value; another order draws other subsets. With `bandwidth="median"` one σ, of all images,
    serves every class and subset, and so do the mean and variance of `features="zscore"`.

    The original takes any labels that are not of integer type for a measurement and cuts its
    range into 10 equal bins, so that float class ids lose classes; ours must be whole numbers.
    With `entropy="matrix_entry"` the sign is reversed: images that resemble each other have
    the higher entropy, so classes that are told apart give a negative value.

    Args:
        image_distances: ‖zᵢ − zⱼ‖² of the embeddings Z.
        labels: Class of each image.
        bandwidth: σ: `"sqrt_dim"` for √d, the setting of the paper's study of ImageNet models;
            `"median"` for the square root of half the median squared distance of two
            different images; or a positive number.
        t: Number of diffusion steps.
        features: `"raw"`, `"zscore"` or `"l2"`, as in `dse`.
        entropy: `"spectral"` or `"matrix_entry"`, as in `dse`.
        repeats: Random subsets per class.
        seed: Start of the random subsets.

    Returns:
        Bits, from about 0 (classes spread like random images; chance can take it below) to at
        most log₂ of the largest class's size. C tight, distant, equal classes give about
        log₂ C. Unchanged by renaming classes; by rotation, except with `features="zscore"`; by
        translation, except with `"l2"`.

    Raises:
        InputError: an option is not one of the above, `features="l2"` comes with
            `bandwidth="sqrt_dim"`, or `entropy="matrix_entry"` with another t than 1.
        ScoreUndefinedError: there is one class only; `bandwidth="median"` and the median
            distance is 0; or `features="l2"` and an embedding is zero.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), DSMI, https://arxiv.org/abs/2312.04823

    >>> far_apart = 100 * np.eye(4)
    >>> dsmi(embeddings=far_apart, labels=[0, 0, 1, 1])  # within a class as far as anywhere
    0.0
    """
    ids, sizes = class_ids(labels, "DSMI")
    distances = of_features(image_distances, features)
    variance = variance_of(distances, bandwidth, features)
    return diffusion_information(
        distances, ids, sizes, variance, t=t, entropy=entropy, repeats=repeats, seed=seed
    )
