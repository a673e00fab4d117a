"""Linear CKA of the embeddings with the labels."""

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score


@score(unit="correlation", higher_is_better=True, bounds=(-1.0, 1.0))
def label_cka(
    centred_svd: ThinSvd, labels: Int[np.ndarray, " n"], *, debiased: bool = True
) -> float:
    """Similarity of the embeddings' inner products to "same class or not".

    Let K = ZZᵀ and L = YYᵀ, Y the one-hot labels. Then
    CKA = HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)). HSIC is the inner product of the two matrices
    after centring rows and columns. Debiased, it is the U-statistic: diagonals are left out
    and the centring is by n − 2 and n − 1 (Székely and Rizzo).

    The biased form grows with d / n for embeddings that know nothing: noise of 100 images in
    1,000 dimensions and 5 classes gets 0.19, debiased 0.00. So it is the option here.
    NCTI's kernel alignment is the biased form.

    Everything is computed from the SVD UsVᵀ of the centred embeddings in O(n k), without n × n
    matrices: ‖XᵀY‖², Σ sₖ⁴, and the squared lengths of the centred rows give both forms.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        debiased: Whether to take the U-statistic.

    Returns:
        Up to 1 (inner products are all that same-class pairs are, up to scale); near 0 when
        embeddings say nothing, and then possibly below. The biased form is ≥ 0. Unchanged by
        rotation, translation, scale, reordering images and renaming classes.

    Raises:
        ScoreUndefinedError: there is one class only, all embeddings are equal; or, debiased,
            there are fewer than 4 images, each image is a class of its own, or all images
            are equally far from each other.

    References:
        Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019,
        https://arxiv.org/abs/1905.00414
        Székely and Rizzo, "Partial Distance Correlation with Methods for Dissimilarities",
        Annals of Statistics 2014 (the U-centred inner product), https://arxiv.org/abs/1310.2926
        Nguyen et al., "Do Wide and Deep Networks Learn the Same Things?", ICLR 2021 (debiased
        CKA), https://arxiv.org/abs/2010.15327

    >>> z = np.eye(2)[[0, 0, 1, 1]]
    >>> round(label_cka(embeddings=z, labels=np.array([0, 0, 1, 1])), 6)
    1.0
    """
    ids, sizes = class_ids(labels, "CKA with the labels")
    left, values, _ = centred_svd
    n = len(ids)
    if len(values) == 0:
        raise ScoreUndefinedError(f"CKA needs embeddings that vary, but all {n} are equal.")
    if debiased and n < 4:
        raise ScoreUndefinedError(f"Debiased CKA needs 4 or more images, but there are {n}.")
    values = values / values[0]
    z_lengths = left**2 @ values**2
    shares = sizes / n
    y_lengths = (1 - 2 * shares + np.sum(shares**2))[ids]
    cross = float(np.sum((class_sums(left, ids, len(sizes)) * values) ** 2))
    z_own = float(np.sum(values**4))
    y_own = float(np.sum(sizes**2.0) - 2 * sizes**2.0 @ shares + np.sum(sizes * shares) ** 2)
    if not debiased:
        return min(1.0, float(cross / np.sqrt(z_own * y_own)))
    z_hsic = _unbiased_hsic(z_own, z_lengths, z_lengths)
    y_hsic = _unbiased_hsic(y_own, y_lengths, y_lengths)
    for name, hsic, own in (("embeddings", z_hsic, z_own), ("classes", y_hsic, y_own)):
        if hsic <= n * np.finfo(np.float64).eps * own:
            raise ScoreUndefinedError(
                f"Debiased CKA has no value: the {name} of all {n} images are equally far from "
                "each other. Take more images."
            )
    value = _unbiased_hsic(cross, z_lengths, y_lengths) / np.sqrt(z_hsic * y_hsic)
    return float(np.clip(value, -1.0, 1.0))


def _unbiased_hsic(
    cross: float, a_lengths: Float[np.ndarray, " n"], b_lengths: Float[np.ndarray, " n"]
) -> float:
    """Inner product of the U-centred Gram matrices of A and B, centred matrices of n rows.

    Args:
        cross: ‖AᵀB‖², the inner product of the Gram matrices themselves.
        a_lengths: Squared lengths of the rows of A, the diagonal of its Gram matrix.
        b_lengths: Squared lengths of the rows of B.
    """
    n = len(a_lengths)
    diagonals = a_lengths @ b_lengths
    # Rows of the centred Gram matrix sum to 0, so without their diagonal to minus that.
    corrected = cross - diagonals * n / (n - 2)
    return float(corrected + a_lengths.sum() * b_lengths.sum() / ((n - 1) * (n - 2)))
