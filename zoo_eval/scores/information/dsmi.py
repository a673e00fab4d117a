"""Diffusion spectral mutual information (DSMI) of embeddings and classes."""

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.information._diffusion import diffusion_information, kernel_variance


@score(unit="bits", higher_is_better=True)
def dsmi(
    squared_distances: Float[np.ndarray, "n n"],
    dimension: int,
    labels: Int[np.ndarray, " n"],
    *,
    bandwidth: str | float | int = "sqrt_dim",
    t: float | int = 1,
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
    serves every class and subset.

    Args:
        squared_distances: ‖zᵢ − zⱼ‖², one row and one column per image.
        dimension: d, the number of features of an embedding.
        labels: Class of each image.
        bandwidth: σ: `"sqrt_dim"` for √d, the setting of the paper's study of ImageNet models;
            `"median"` for the square root of half the median squared distance of two
            different images; or a positive number.
        t: Number of diffusion steps.
        repeats: Random subsets per class.
        seed: Start of the random subsets.

    Returns:
        Bits, from about 0 (classes spread like random images; chance can take it below) to at
        most log₂ of the largest class's size. C tight, distant, equal classes give about
        log₂ C. Unchanged by rotation, by translation and by renaming classes.

    Raises:
        InputError: an option is not one of the above.
        ScoreUndefinedError: there is one class only, or `bandwidth="median"` and the median
            distance is 0.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), DSMI, https://arxiv.org/abs/2312.04823

    >>> far_apart = 1e4 * (1 - np.eye(4))
    >>> dsmi(far_apart, 3, np.array([0, 0, 1, 1]))  # within a class as far as anywhere
    0.0
    """
    ids, sizes = class_ids(labels, "DSMI")
    variance = kernel_variance(squared_distances, dimension, bandwidth)
    return diffusion_information(
        squared_distances, ids, sizes, variance, t=t, repeats=repeats, seed=seed
    )
