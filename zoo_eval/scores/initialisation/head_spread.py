"""How far linear heads that differ by chance alone are from each other's answers."""

import numpy as np
from jaxtyping import Int

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.initialisation._spread import bootstrapped_answers


@score(unit="probability", higher_is_better=None, bounds=(0.0, 0.5**0.5))
def head_spread(
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    shots: int = 10,
    steps: int = 100,
    heads: int = 10,
    seed: int = 0,
) -> float:
    """Mean standard deviation of the answers of randomly started, bootstrapped linear heads.

    `shots` images of each class are drawn. Each head starts at normal weights of variance 1/d and
    bias 0, and is trained by plain gradient descent, of rate 1, on the cross-entropy of a
    bootstrap of these images: as many, drawn with repetition. For each other image the spread is
    the standard deviation over the heads of the probability of the class for which their mean
    decides. The embeddings are prepared as for `adapter_gain`.

    GaSNet-II divides by the number of heads and gives the spread of a redshift; here it is
    divided by one less, and of a probability.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        shots: Images of each class to draw the bootstraps from.
        steps: Steps of gradient descent.
        heads: Number of heads, at least 2.
        seed: Start of the draws.

    Returns:
        Mean over images, from 0, if chance decides nothing, to √½.

    Raises:
        InputError: an option is too small.
        ScoreUndefinedError: fewer than two classes have more than `shots` images, or all
            embeddings are equal.

    References:
        Zhong et al., "Galaxy Spectra Neural Network (GaSNet). II. Using Deep Learning for Spectral
        Classification and Redshift Predictions", 2023, https://arxiv.org/abs/2311.04146

    >>> classes = np.arange(60) % 3
    >>> bool(0 < head_spread(embeddings=np.eye(3)[classes], labels=classes) < 0.1)
    True
    """
    answers = bootstrapped_answers(
        centred_svd, labels, shots=shots, steps=steps, heads=heads, seed=seed
    )
    return float(answers.spread.mean())
