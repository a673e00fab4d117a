"""NCE, the negative conditional entropy of the classes given the network's prediction."""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import xlogy

from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score


@score(unit="nats per image", higher_is_better=True, bounds=(-np.inf, 0.0))
def nce(logits: Float[np.ndarray, "n source_classes"], labels: Int[np.ndarray, " n"]) -> float:
    """Negative conditional entropy of the dataset's classes given the network's own.

    Let zᵢ be the class with the largest logit of image i and n_zy the number of images of
    class y that the network calls z. Then NCE = −H(Y | Z) = (1/n) Σ_zy n_zy ln(n_zy / n_z).

    Counts are used as they are; some code adds a small number to each, which shifts the value
    with the number of classes. The plug-in entropy is biased: with as many classes in the
    network as there are images every network comes near 0. Of equal logits the first counts.

    Args:
        logits: One row per image, one column per class of the network.
        labels: Class of each image in the dataset.

    Returns:
        Nats per image, from −ln C (the network calls all images the same, equal classes) to 0
        (its classes determine the dataset's). Unchanged by reordering images and by renaming
        either kind of class.

    Raises:
        ScoreUndefinedError: there is one class only; NCE is then 0 for every network.

    References:
        Tran et al., "Transferability and Hardness", ICCV 2019, https://arxiv.org/abs/1908.08142

    >>> round(nce(np.array([[1.0, 0.0]] * 4), np.array([0, 0, 1, 1])), 6)  # −ln 2
    -0.693147
    """
    ids, sizes = class_ids(labels, "NCE")
    n_source, n_classes = logits.shape[1], len(sizes)
    pairs = logits.argmax(axis=1) * n_classes + ids
    counts = np.bincount(pairs, minlength=n_source * n_classes).reshape(n_source, n_classes)
    predicted = counts.sum(axis=1)
    entropy = xlogy(predicted, predicted).sum() - xlogy(counts, counts).sum()
    return min(0.0, -float(entropy) / len(ids))
