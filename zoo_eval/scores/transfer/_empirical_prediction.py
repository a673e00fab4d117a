"""The predictor that LEEP reads off soft assignments of images to source classes."""

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.scores._classes import class_sums


def empirical_likelihoods(
    theta: Float[np.ndarray, "n source_classes"], ids: Int[np.ndarray, " n"], n_classes: int
) -> Float[np.ndarray, " n"]:
    """Probability Σ_z P(yᵢ | z) θᵢz that each image's own class is given.

    P(y | z) is fitted to all images. A source class without mass contributes nothing.

    Args:
        theta: θ; each row sums to 1.
        ids: Class of each image, 0 … C−1.
        n_classes: C.
    """
    joint = class_sums(theta, ids, n_classes)
    mass = joint.sum(axis=0)
    conditional = np.divide(joint, mass, out=np.zeros_like(joint), where=mass > 0)
    return np.einsum("iz,iz->i", conditional[ids], theta)
