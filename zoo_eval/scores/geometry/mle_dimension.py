"""The Levina–Bickel intrinsic dimension."""

import numpy as np
from jaxtyping import Float

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._neighbours import EQUAL_LOG_RATIO, nearest


@score(unit="dimensions", higher_is_better=None, bounds=(0.0, np.inf))
def mle_dimension(squared_distances: Float[np.ndarray, "n n"], *, k: int = 20) -> float:
    """Intrinsic dimension, from how the number of neighbours grows with the distance.

    Let Tᵢⱼ be the distance of image i to its j-th nearest neighbour. On a manifold of dimension D
    with a locally constant density, neighbours are a Poisson process whose rate grows as
    t^(D−1), and the maximum likelihood estimate at image i is
    Dᵢ = (k − 1) / Σⱼ₌₁…ₖ₋₁ ln(Tᵢₖ / Tᵢⱼ). The score is the harmonic mean of the Dᵢ, which is the
    maximum likelihood estimate of one D for all images (MacKay and Ghahramani).

    Implementations differ. Levina and Bickel average the Dᵢ and then average over a range of k,
    which overestimates for small k. Some divide by k − 2 in place of k − 1 against the bias of a
    single Dᵢ; the harmonic mean needs none. Duplicates, images nearer than a millionth of the
    largest distance, have T = 0: here such images are one point, so that copies of images change
    nothing. scikit-dimension, equal otherwise, gives 0 dimensions as soon as one image has a copy.

    The claim has no sign: good models are reported with large and with small dimensions. The
    value falls short of D when D is above about 10.

    Args:
        squared_distances: Squared Euclidean distances between the embeddings.
        k: Number of neighbours, at least 2.

    Returns:
        A dimension above 0, not a whole number. Unchanged by rotation, translation, scale,
        reordering images and copies of images.

    Raises:
        InputError: k is below 2.
        ScoreUndefinedError: there are not more than k distinct images, or each image has its k
            neighbours at one distance.

    References:
        Levina and Bickel, "Maximum Likelihood Estimation of Intrinsic Dimension", NIPS 2004,
        https://papers.nips.cc/paper/2577-maximum-likelihood-estimation-of-intrinsic-dimension
        MacKay and Ghahramani, "Comments on 'Maximum Likelihood Estimation of Intrinsic
        Dimension'", 2005, https://www.inference.org.uk/mackay/dimension/
        scikit-learn-contrib/scikit-dimension, skdim.id.MLE.

    >>> line = np.random.default_rng(0).uniform(size=(500, 1)) * np.array([[3.0, 4.0]])
    >>> round(mle_dimension(embeddings=line))
    1
    """
    if k < 2:
        raise InputError(f"k, the number of neighbours, must be ≥ 2, but is {k}.")
    distances = nearest(squared_distances, k, "The MLE dimension")
    inverse = np.mean(np.log(distances[:, -1:] / distances[:, :-1]) / 2)
    if inverse < EQUAL_LOG_RATIO:
        raise ScoreUndefinedError(
            f"The MLE dimension needs neighbours at several distances, but the {k} nearest of each "
            f"of {len(distances)} images are all equally far. Are the embeddings a regular grid?"
        )
    return float(1 / inverse)
