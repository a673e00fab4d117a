"""Class separation by cosine distance."""

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0))
def class_separation(embeddings: Float[np.ndarray, "n d"], labels: Int[np.ndarray, " n"]) -> float:
    """Share of the cosine distance between images that lies between classes.

    R² = 1 − δ_within / δ_total. δ_within is the mean cosine distance 1 − cos(zᵢ, zⱼ) over all
    pairs of images of one class, averaged over classes; δ_total is the mean over all pairs of
    classes (the two may be the same) of the mean over their pairs of images. So classes count
    the same whatever their size, and pairs of an image with itself count, as in the paper.

    Computed in O(n d) from unit vectors uᵢ = zᵢ / ‖zᵢ‖: δ_within is the mean over classes of
    the mean ‖uᵢ − m_c‖², with m_c the mean of class c, and δ_total that of ‖uᵢ − m‖², with m
    the mean of the m_c. Embeddings are not centred first.

    Args:
        embeddings: One row per image.
        labels: Class of each image.

    Returns:
        From 0 (all m_c equal) to 1 (the images of a class all point one way). The paper finds
        that much separation of a network's own training classes harms transfer to other
        datasets; on the classes of the dataset at hand more separation is better. Unchanged by
        rotation, scale (of each image even), reordering images and renaming classes, but not
        by translation.

    Raises:
        ScoreUndefinedError: there is one class only, an embedding is zero and has no angle, or
            all point one way.

    References:
        Kornblith et al., "Why Do Better Loss Functions Lead to Less Transferable Features?",
        NeurIPS 2021, Eq. (11), https://arxiv.org/abs/2010.16402

    >>> z = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0], [0.0, 1.0]])
    >>> class_separation(z, np.array([0, 0, 1, 1])), class_separation(z, np.array([0, 1, 0, 1]))
    (1.0, 0.0)
    """
    ids, sizes = class_ids(labels, "Class separation")
    # Scaled by the largest entry first, so that no square of it overflows or vanishes.
    z = embeddings.astype(np.float64)
    largest = np.abs(z).max(axis=1, keepdims=True)
    n_zero = int(np.sum(largest == 0))
    if n_zero:
        raise ScoreUndefinedError(
            f"The angle to a zero embedding is undefined, but {n_zero} of {len(z)} are zero."
        )
    z = z / largest
    units = z / np.linalg.norm(z, axis=1, keepdims=True)
    means = class_sums(units, ids, len(sizes)) / sizes[:, None]
    weights = 1 / (len(sizes) * sizes[ids])
    within = float(weights @ np.sum((units - means[ids]) ** 2, axis=1))
    between = float(np.mean(np.sum((means - means.mean(axis=0)) ** 2, axis=1)))
    # Unit vectors are rounded by about ε, their squared differences by its square.
    if within + between <= np.finfo(np.float64).eps ** 2 * embeddings.shape[1] * 16:
        raise ScoreUndefinedError(
            f"Class separation needs embeddings of different directions, but all {len(z)} point "
            "the same way."
        )
    return between / (within + between)
