"""NCTI's first part: how many independent directions tell the classes apart, and how well."""

import numpy as np
from jaxtyping import Int

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.transfer._collapse import discriminant


@score(unit="standard deviations", higher_is_better=True, bounds=(0.0, np.inf))
def ncti_seli(centred_svd: ThinSvd, labels: Int[np.ndarray, " n"]) -> float:
    """Nuclear norm of the embeddings projected on the directions between the classes.

    seli = ‖X P‖_*, the sum of singular values, where X are the first 64 principal components
    of the embeddings (all, if there are fewer) and the C − 1 columns of P are the directions of
    linear discriminant analysis, scaled to variance 1 within classes. It grows as √n: compare
    models on the same images.

    As in official code the analysis has two forms. Let W be the covariance within classes
    (divided by n) and a = exp(−Σ of the 32 largest variances of the principal components,
    divided by n − 1). For a ≤ 1e-10, W is taken as it is, and directions with less than 1e-4 of
    the first one's signal are dropped. Otherwise W is replaced by (1 − a) W + a (tr W / k) I,
    k the number of components. So all three parts of NCTI depend on the unit of the embeddings,
    and jump where the form changes. Both forms need clearly more than k + C images.

    Official code has 64 components and raises where n or d is below 64. Here there are as many
    as stand out of the rounding of float32 embeddings (1e-6 of the first), at most min(n − 1, d).
    Where there are fewer than 64, the official value is rounding noise: with 14 it gives 83 in
    float64 and 96 in float32, and without the noise it is 54. On more than 500 images official
    components may come from a randomised solver without a seed. It leaves the analysis to
    scikit-learn, which before 1.9 divided W by n − C in the first form, and which there drops
    directions without variance within classes, the best ones, in silence; here that is an error.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.

    Returns:
        Standard deviations within classes, times √n, from 0 (all class means equal, W not
        shrunk). Unchanged by rotation, translation, reordering images and renaming classes, but
        not by scale.

    Raises:
        ScoreUndefinedError: there is one class only, the images of each class are all equal, or
            W is singular where it is not shrunk.

    References:
        Wang et al., "How Far Pre-trained Models Are from Neural Collapse on the Target Dataset
        Informs their Transferability", ICCV 2023,
        https://openaccess.thecvf.com/content/ICCV2023/html/Wang_How_Far_Pre-trained_Models_Are_from_Neural_Collapse_on_the_ICCV_2023_paper.html
        https://github.com/BUserName/NCTI

    >>> z = np.array([[-10.0], [-8.0], [8.0], [10.0]])  # variance within classes: 1
    >>> value = ncti_seli(embeddings=z, labels=np.array([0, 0, 1, 1]))
    >>> round(value**2, 6)  # 100 + 64 + 64 + 100
    328.0
    """
    found = discriminant(centred_svd, labels)
    return float(np.linalg.svd(found.projections, compute_uv=False).sum())
