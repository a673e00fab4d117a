"""Classic Shannon entropy (CSE) of the embeddings, by binning."""

import numpy as np
from jaxtyping import Shaped

from zoo_eval.scores._score import score
from zoo_eval.scores.information._bins import cell_entropy


@score(unit="bits", higher_is_better=None, bounds=(0.0, np.inf))
def cse(embeddings: Shaped[np.ndarray, "n d"], *, bins: int = 2) -> float:
    """Classic Shannon entropy: of the cells of a grid that the embeddings fall into.

    Each feature's range, from its smallest to its largest value among the images, is cut into
    `bins` equal parts, which cuts the space into binsᵈ cells. With n_k the images in cell k,
    CSE = −Σ_k (n_k / n) log₂ (n_k / n). It is the baseline that `dse` was made to replace.

    CSE saturates. There are at most n occupied cells, so CSE ≤ log₂ n, and from about 2 log₂ n
    features that vary by themselves every image has a cell to itself: CSE is log₂ n for every
    model, whatever it has learnt. Embeddings of hundreds of features are all there, up to
    features that are almost always 0. So CSE compares models only on a few features; take
    these, such as the first principal components, before calling it.

    An inner edge belongs to the part above it, the largest value to the last part. A constant
    feature adds nothing; in the original code it is 0/0, which ends in one bin by luck.

    Args:
        embeddings: Z; one row per image, one column per feature.
        bins: Equal parts per feature.

    Returns:
        Bits, from 0 (all images in one cell) to min(log₂ n, d log₂ bins). Unchanged by
        reordering images or features, by translation and by scaling a feature with a positive
        factor, up to values on an edge, which rounding can move; not by rotation.

    Raises:
        InputError: bins is below 2.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), CSE, https://arxiv.org/abs/2312.04823

    >>> cse(np.array([[0.0, 5.0], [0.4, 5.0], [0.6, 5.0], [1.0, 5.0]]))
    1.0
    """
    return cell_entropy(embeddings, bins)
