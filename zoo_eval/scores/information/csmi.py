"""Classic Shannon mutual information (CSMI) of embeddings and classes, by binning."""

import numpy as np
from jaxtyping import Int, Shaped

from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.information._bins import cell_entropies
from zoo_eval.scores.information._subsets import information_gain


@score(unit="bits", higher_is_better=None)
def csmi(
    embeddings: Shaped[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    bins: int = 2,
    repeats: int = 5,
    seed: int = 0,
) -> float:
    """Classic Shannon mutual information of the embeddings Z and the classes Y.

    CSMI(Z; Y) = Σ_c (n_c / n) (mean over r of CSE(R_cr) − CSE(Z_c)), with Z_c the n_c images
    of class c and R_cr random subsets of n_c of all n images; see `cse`, and `dsmi` for how
    subsets are drawn. It is the baseline that `dsmi` was made to replace.

    As in the original code, the bins are fitted to each class and each subset anew. So this is
    not the mutual information of the binned embeddings: where a class lies is lost, only how
    its images spread over their own range is left, and the value is often negative.

    CSE saturates, and CSMI with it: where each image has a cell to itself (about 2 log₂ n
    features that vary by themselves are enough), both entropies are log₂ n_c and CSMI is 0,
    also of a model that tells all classes apart. Where each single feature does so, it is far
    below 0: −3.9 bits for two classes of 30 images and 40 such features, because a subset of
    both classes then fills two cells, but a class alone, stretched over all bins, fills 30.
    Take a few features, such as the first principal components.

    Args:
        embeddings: Z; one row per image, one column per feature.
        labels: Class of each image.
        bins: Equal parts per feature.
        repeats: Random subsets per class.
        seed: Start of the random subsets.

    Returns:
        Bits, at most log₂ of the largest class's size either way; 0 where CSE saturates.
        Unchanged by renaming classes, by reordering features, by translation and by scaling a
        feature with a positive factor, up to values on an edge of a bin; not by rotation.
        Another order of the images draws other subsets.

    Raises:
        InputError: bins is below 2, or repeats below 1.
        ScoreUndefinedError: there is one class only.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), CSMI, https://arxiv.org/abs/2312.04823

    >>> z = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> csmi(z, np.array([0, 0, 1, 1]), repeats=90) > 0.5  # 2 of 3 random pairs differ: 2 / 3
    True
    """
    ids, sizes = class_ids(labels, "CSMI")

    def entropies(subsets: np.ndarray) -> np.ndarray:
        return cell_entropies(embeddings, subsets, bins)

    return information_gain(entropies, ids, sizes, repeats=repeats, seed=seed)
