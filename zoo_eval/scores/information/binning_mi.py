"""Mutual information of embeddings and classes by equal-width binning."""

import numpy as np
from jaxtyping import Int

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.information._bins import equal_width_bins
from zoo_eval.scores.information._components import principal_components
from zoo_eval.scores.information._plug_in import plug_in_information, row_states


@score(unit="bits", higher_is_better=True)
def binning_mi(
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    n_components: int = 3,
    bins: int = 5,
    null: bool = True,
) -> float:
    """What the cell of an image on a grid over the principal components tells about its class.

    Each of the first principal components is cut into bins of equal width, from its minimum to
    its maximum; the state T of an image is its cell. I(T; Y) = H(T) + H(Y) − H(T, Y) with
    shares for probabilities, less the mean of it over all orders of the labels, which is known
    exactly; see `_plug_in`.

    The classical estimate bins every feature. From about 20 features on each image then has a
    cell of its own, and I(T; Y) is H(Y) for every network; pure noise in 4 dimensions and 30
    bins already gives 3.319 of 3.322 bits with 2,000 images of 10 classes. With the default 125
    cells, the null of 1,000 images is about 0.5 bits for 10 classes and 2.2 for 100. Programs
    differ in the edges: ibsgd cuts at the whole multiples of a fixed width, which follows the
    scale of the features, and gives nats; one value far off leaves the others few of our bins.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        n_components: Number of principal components.
        bins: Number of bins of each.
        null: Take off what labels in random order would give; False leaves the plug-in estimate
            as it is.

    Returns:
        Bits, from about 0 (nothing; chance can take it below) to at most H(Y) ≤ log₂ C less the
        null. Unchanged by rotation, translation and scale of the embeddings, by reordering
        images and by renaming classes.

    Raises:
        InputError: bins is below 2 or n_components below 1.
        ScoreUndefinedError: there is one class only, or all embeddings are equal; or, with the
            null, no two images have the same state, whose information is H(Y) for any labels.

    References:
        Shwartz-Ziv and Tishby, "Opening the Black Box of Deep Neural Networks via Information"
        (2017), https://arxiv.org/abs/1703.00810
        Saxe et al., "On the Information Bottleneck Theory of Deep Learning", ICLR 2018;
        artemyk/ibsgd, simplebinmi.py.

    >>> z = np.array([[0.0, 0.0], [0.0, 1.0], [9.0, 0.0], [9.0, 1.0]])
    >>> binning_mi(embeddings=z, labels=np.array([0, 0, 1, 1]), n_components=1, null=False)
    1.0
    """
    ids, sizes = class_ids(labels, "Binned information")
    z = principal_components(centred_svd, n_components, "Binned information")
    # Rounded, so that a value on an edge does not change its bin with the last digit of the SVD.
    cells = row_states(equal_width_bins(np.round(z / np.ptp(z, axis=0), 9), bins))
    return float(plug_in_information(cells[:, None], ids, sizes, null=null)[0])
