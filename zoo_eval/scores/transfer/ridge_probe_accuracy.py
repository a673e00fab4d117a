"""Accuracy of ridge regression on one-hot labels, each image left out in turn."""

import numpy as np
from jaxtyping import Int

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.transfer._most_likely import share_right
from zoo_eval.scores.transfer._ridge import LeftOut


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0))
def ridge_probe_accuracy(centred_svd: ThinSvd, labels: Int[np.ndarray, " n"]) -> float:
    """Leave-one-out accuracy of a linear classifier fitted by least squares.

    Minimises Σᵢ ‖yᵢ − b − Aᵀzᵢ‖² + λ ‖A‖², with yᵢ the one-hot label and b not penalised, and
    gives each image the class of the largest of its C predictions. With the centred embeddings
    UsVᵀ, dₖ = sₖ² / (sₖ² + λ) and hᵢ = 1/n + Σₖ Uᵢₖ² dₖ, the prediction that all other images
    make for image i is pᵢ = yᵢ − (yᵢ − ŷᵢ) / (1 − hᵢ), with ŷ = ȳ + U diag(d) Uᵀ y. That is
    exact, needs no loop over images, and takes O(n k min(k, C)) for each λ.

    Without an image its own class has a smaller share of the others, ȳ − (yᵢ − ȳ) / (n − 1),
    around which pᵢ lies. Where embeddings say little that alone would decide, against the image:
    on noise, 1,000 images of 100 classes get 0.001 in place of the 0.01 of chance. So the class
    is that of the largest entry of pᵢ + (yᵢ − ȳ) / (n − 1), with the shares of all images.

    λ is that of 10¹ s₁², 10⁰ s₁², …, 10⁻⁶ s₁² with the smallest squared error over the images
    left out; of equal ones the largest. The images that choose λ are those that are judged, but
    one number chosen of eight by another criterion leaves little to overfit. When m classes have
    the largest prediction, one of them being right counts 1/m.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.

    Returns:
        Fraction of images that are given their own class, from 0 to 1; about the share of the
        largest class if the embeddings say nothing, and just that if all are equal (1/C if all
        classes are as large). Unchanged by rotation, translation, scale,
        reordering images and renaming classes, but not by stretching one feature.

    Raises:
        ScoreUndefinedError: there is one class only.

    References:
        Hastie et al., "The Elements of Statistical Learning", 2009, Eqs. (7.64) and (3.47),
        https://hastie.su.domains/ElemStatLearn
        Rifkin and Lippert, "Notes on Regularized Least Squares", MIT 2007,
        https://dspace.mit.edu/handle/1721.1/37318

    >>> z = np.array([[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]])
    >>> ridge_probe_accuracy(embeddings=z, labels=np.array([0, 0, 0, 1, 1, 1]))
    1.0
    """
    ids, sizes = class_ids(labels, "The ridge probe")
    others = LeftOut(centred_svd, ids, len(sizes))
    predictions = others.predictions(others.best_penalty())
    return share_right(predictions, ids, np.abs(predictions).max(axis=1))
