"""Accuracy of the nearest class mean, each image left out in turn."""

import numpy as np
from jaxtyping import Int, Shaped

from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score
from zoo_eval.scores.transfer._most_likely import share_right


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0))
def ncm_accuracy(embeddings: Shaped[np.ndarray, "n d"], labels: Int[np.ndarray, " n"]) -> float:
    """Leave-one-out accuracy of the nearest class mean, by Euclidean distance.

    Each image is given the class whose mean is nearest, where the mean of its own class is taken
    without it. That is exact and needs no loop: with n_c images in the class c of image z,
    z − μ_c without z is n_c / (n_c − 1) (z − μ_c).

    A class of one image has no mean without it, so that image counts as wrong. When m means are
    equally near, one of them being right counts 1/m, the chance of guessing it. Where means
    include the image that is judged, as in most code, the accuracy is too high, and most so for
    small classes in many dimensions: 100 random images in 10 classes and 1,000 dimensions then
    give 1, and not 0.1.

    Args:
        embeddings: One row per image.
        labels: Class of each image.

    Returns:
        Fraction of images that are given their own class, from 0 to 1; 1/C if all embeddings
        are equal and no class is of one image. Unchanged by rotation, translation, scale,
        reordering images and renaming classes.

    Raises:
        ScoreUndefinedError: there is one class only.

    References:
        Mensink et al., "Distance-Based Image Classification: Generalizing to New Classes at
        Near-Zero Cost", TPAMI 2013, https://doi.org/10.1109/TPAMI.2013.83

    >>> z = np.array([[0.0], [2.0], [4.0], [10.0], [11.0], [12.0]])
    >>> round(ncm_accuracy(z, np.array([0, 0, 1, 1, 1, 1])), 6)  # all but the third
    0.833333
    """
    ids, sizes = class_ids(labels, "Nearest class mean accuracy")
    z = embeddings.astype(np.float64)
    z -= z.mean(axis=0)  # changes no distance, and keeps the digits that would cancel
    means = class_sums(z, ids, len(sizes)) / sizes[:, None]
    squares, squared_means = np.sum(z**2, axis=1), np.sum(means**2, axis=1)
    distances = np.add.outer(squares, squared_means) - 2 * (z @ means.T)
    images = np.arange(len(ids))
    own = np.sum((z - means[ids]) ** 2, axis=1)
    others = sizes[ids] - 1
    larger = np.divide(sizes[ids], others, out=np.full(len(ids), np.inf), where=others > 0)
    distances[images, ids] = np.where(others > 0, larger, 1) ** 2 * own
    distances[images[others == 0], ids[others == 0]] = np.inf
    return share_right(-distances, ids, squares + squared_means.max())
