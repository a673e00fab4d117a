"""NCTI's second part: how sure the classifier by class centres is of the right class."""

import numpy as np
from jaxtyping import Int

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.transfer._collapse import discriminant


@score(unit="probability", higher_is_better=True, bounds=(0.0, 1.0))
def ncti_ncc(centred_svd: ThinSvd, labels: Int[np.ndarray, " n"]) -> float:
    """Mean probability of the right class under linear discriminant analysis.

    ncc = (1/n) Σᵢ p(yᵢ | xᵢ), p(c | x) ∝ (n_c / n) exp(−½ (x − μ_c)ᵀ W⁻¹ (x − μ_c)), where x are
    the first 64 principal components of the embeddings, μ_c the class means and W the covariance
    within classes; see `ncti_seli` for the two forms of W. The analysis is fitted on the images
    that it is judged on: with few images per component it is near 1 for every model.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.

    Returns:
        From 0 to 1 (all classes far apart); Σ_c (n_c / n)² if all class means are equal.
        Unchanged by rotation, translation, reordering images and renaming classes, but not by
        scale.

    Raises:
        ScoreUndefinedError: there is one class only, the images of each class are all equal, or
            W is singular where it is not shrunk.

    References:
        Wang et al., "How Far Pre-trained Models Are from Neural Collapse on the Target Dataset
        Informs their Transferability", ICCV 2023,
        https://openaccess.thecvf.com/content/ICCV2023/html/Wang_How_Far_Pre-trained_Models_Are_from_Neural_Collapse_on_the_ICCV_2023_paper.html
        https://github.com/BUserName/NCTI

    >>> z = np.array([[-1.0, 0], [1, 0], [0, -2], [0, 2]])  # equal class means: chance
    >>> round(ncti_ncc(embeddings=10 * z, labels=np.array([0, 0, 1, 1])), 6)
    0.5
    """
    found = discriminant(centred_svd, labels)
    right = found.posteriors[np.arange(len(found.ids)), found.ids]
    return min(1.0, float(right.mean()))
