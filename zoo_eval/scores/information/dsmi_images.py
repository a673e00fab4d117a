"""Diffusion spectral mutual information (DSMI) of embeddings and input images."""

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


@score(unit="bits", higher_is_better=None)
def dsmi_images(
    image_distances: ImageDistances,
    image_clusters: Int[np.ndarray, " n"],
    *,
    bandwidth: str | float | int = "sqrt_dim",
    t: float | int = 1,
    features: str = "raw",
    entropy: str = "spectral",
    repeats: int = 5,
    seed: int = 0,
) -> float:
    """Diffusion spectral mutual information of the embeddings Z and the input images X.

    DSMI(Z; X) is DSMI(Z; Y) of `dsmi` with clusters of similar pixels in the place of the
    classes: Σ_c (n_c / n) (mean over r of DSE(R_cr) − DSE(Z_c)), with Z_c the n_c images of
    cluster c and R_cr random subsets of n_c of all n images.

    The original study clusters the random crops that each network is fed with, so its
    clusters differ from model to model. Ours are made once per dataset, from the same pixels
    for every model. In all else the conventions are those of `dsmi`.

    Args:
        image_distances: ‖zᵢ − zⱼ‖² of the embeddings Z.
        image_clusters: Cluster of each image, by its pixels.
        bandwidth: σ: `"sqrt_dim"` for √d, `"median"` for the square root of half the median
            squared distance of two different images, or a positive number.
        t: Number of diffusion steps.
        features: `"raw"`, `"zscore"` or `"l2"`, as in `dse`.
        entropy: `"spectral"` or `"matrix_entry"`, as in `dse`.
        repeats: Random subsets per cluster.
        seed: Start of the random subsets.

    Returns:
        Bits, from about 0 (embeddings do not tell which cluster of pixels an image is of;
        chance can take it below) to at most log₂ of the largest cluster's size. Unchanged by
        renaming clusters; by rotation, except with `features="zscore"`; by translation, except
        with `"l2"`.

    Raises:
        InputError: an option is not one of the above, `features="l2"` comes with
            `bandwidth="sqrt_dim"`, or `entropy="matrix_entry"` with another t than 1.
        ScoreUndefinedError: there is one cluster only; `bandwidth="median"` and the median
            distance is 0; or `features="l2"` and an embedding is zero.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), DSMI, https://arxiv.org/abs/2312.04823

    >>> two_pairs = np.array([[0.0], [0.0], [100.0], [100.0]])
    >>> round(dsmi_images(embeddings=two_pairs, image_clusters=[0, 0, 1, 1], repeats=5000), 1)
    0.7
    """
    ids, sizes = class_ids(image_clusters, "DSMI", groups="clusters")
    distances = of_features(image_distances, features)
    variance = variance_of(distances, bandwidth, features)
    return diffusion_information(
        distances, ids, sizes, variance, t=t, entropy=entropy, repeats=repeats, seed=seed
    )
