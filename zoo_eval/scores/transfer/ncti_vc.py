"""NCTI's third part: how much the predictions vary within each class."""

import numpy as np
from jaxtyping import Int

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.transfer._collapse import discriminant


@score(unit="logarithm", higher_is_better=False, bounds=(0.0, np.inf))
def ncti_vc(centred_svd: ThinSvd, labels: Int[np.ndarray, " n"]) -> float:
    """Logarithm of the summed nuclear norms of each class's predicted probabilities.

    vc = ln Σ_c ‖P_c‖_*, where P_c has a row for each image of class c and in it the
    probabilities p(c' | x) of all classes c' under the linear discriminant analysis of
    `ncti_ncc`. The nuclear norm is the sum of singular values. It grows as √n: compare models on
    the same images.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.

    Returns:
        Low is good. ln Σ_c √n_c if every image is surely of its own class, more where
        predictions differ within a class, less where they are all alike but unsure. Unchanged by
        rotation, translation, reordering images and renaming classes, but not by scale.

    Raises:
        ScoreUndefinedError: there is one class only, the images of each class are all equal, or
            W is singular where it is not shrunk.

    References:
        Wang et al., "How Far Pre-trained Models Are from Neural Collapse on the Target Dataset
        Informs their Transferability", ICCV 2023,
        https://openaccess.thecvf.com/content/ICCV2023/html/Wang_How_Far_Pre-trained_Models_Are_from_Neural_Collapse_on_the_ICCV_2023_paper.html
        https://github.com/BUserName/NCTI

    >>> z = np.array([[-99.0], [-98.0], [98.0], [99.0]])
    >>> value = ncti_vc(embeddings=z, labels=np.array([0, 0, 1, 1]))
    >>> round(float(np.exp(value) ** 2), 6)  # (√2 + √2)²
    8.0
    """
    found = discriminant(centred_svd, labels)
    norms = [
        np.linalg.svd(found.posteriors[found.ids == c], compute_uv=False).sum()
        for c in range(found.posteriors.shape[1])
    ]
    return float(np.log(np.sum(norms)))
