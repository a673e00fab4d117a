"""Whether linear heads that differ by chance alone disagree where they are wrong."""

import numpy as np
from jaxtyping import Int

from zoo_eval.correlation import spearman_rho
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.initialisation._spread import bootstrapped_answers


@score(unit="rank correlation", higher_is_better=None, bounds=(-1.0, 1.0))
def head_calibration(
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    shots: int = 10,
    steps: int = 100,
    heads: int = 10,
    seed: int = 0,
) -> float:
    """Spearman's ρ over images of the spread of the heads' answers with their error.

    Heads and spread are those of `head_spread`. The error of an image is 1 less the mean over
    the heads of the probability of its class.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        shots: Images of each class to draw the bootstraps from.
        steps: Steps of gradient descent.
        heads: Number of heads, at least 2.
        seed: Start of the draws.

    Returns:
        From −1 to 1: 1 if the images on which the heads differ most are those on which they are
        most wrong, so that their spread tells when not to trust them; 0 if it says nothing.

    Raises:
        InputError: an option is too small.
        ScoreUndefinedError: fewer than two classes have more than `shots` images, all embeddings
            are equal, or the heads' spread or error is the same for all images.

    References:
        Zhong et al., "Galaxy Spectra Neural Network (GaSNet). II. Using Deep Learning for Spectral
        Classification and Redshift Predictions", 2023, https://arxiv.org/abs/2311.04146

    >>> z = np.random.default_rng(0).normal(size=(60, 8))
    >>> bool(-1 <= head_calibration(embeddings=z, labels=np.arange(60) % 3) <= 1)
    True
    """
    answers = bootstrapped_answers(
        centred_svd, labels, shots=shots, steps=steps, heads=heads, seed=seed
    )
    for what, values in (("spread", answers.spread), ("error", answers.errors)):
        if np.ptp(values) == 0:
            raise ScoreUndefinedError(
                f"The {what} of the heads is {values[0]:.3g} for all {len(values)} images, which "
                "cannot be correlated with anything."
            )
    return float(spearman_rho(answers.spread, answers.errors))
