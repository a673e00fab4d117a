"""Mutual information of embeddings and classes by entropy-based adaptive binning (EBAB)."""

import numpy as np
from jaxtyping import Float, Int, Integer, Shaped

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import centred_svd
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.information._components import principal_components
from zoo_eval.scores.information._plug_in import plug_in_information, row_states


@score(unit="bits", higher_is_better=True)
def ebab_mi(
    embeddings: Shaped[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    on: str = "dimensions",
    n_components: int = 3,
    bins: int = 30,
    null: bool = True,
) -> float:
    """What a single feature tells about the class, from bins that hold equally many values.

    The state T of an image is the bin of its value. The bins adapt to the feature: each holds
    equally many of the feature's distinct values, so that H(T) is as large as it can be. If the
    lowest value is shared by several images, as the zero of a ReLU, it has a bin of its own
    beside the others. I(T; Y) = H(T) + H(Y) − H(T, Y) with shares for probabilities, less the
    mean of it over all orders of the labels, which is known exactly; see `_plug_in`. The score
    is the mean over features.

    The paper and its code bin all features of a layer alike, with edges from the pooled values,
    and take the whole row of bins for the state. With 2,000 images, 30 bins and 10 classes,
    pure noise then gives 0.10 bits in one dimension, 2.02 in two and 3.319 of log₂ 10 = 3.322 in
    four; beyond, every network has H(Y). So we look at features one by one, and take off the
    null. The code also gives the highest value a bin of its own; values below the lowest edge
    (GELU) would wrap into the last bin.

    Args:
        embeddings: One row per image.
        labels: Class of each image.
        on: `"dimensions"`, the mean over single features; or `"components"`, one state from
            the bins of the first principal components together. Then take fewer bins: 30 of each
            of three leave, of 1,000 images, hardly two with the same state.
        n_components: Number of principal components, for `on="components"`.
        bins: Number of bins of a feature or component.
        null: Take off what labels in random order would give; False leaves the plug-in estimate
            as it is.

    Returns:
        Bits, from about 0 (nothing; chance can take it below) to at most H(Y) ≤ log₂ C less the
        null. A feature that is constant has 0. Unchanged by reordering images and by renaming
        classes; on dimensions also by any increasing function of a feature, on components by
        rotation, translation and scale.

    Raises:
        InputError: an option is not one of the above.
        ScoreUndefinedError: there is one class only, or all embeddings are equal; or, with the
            null, no two images have the same state, whose information is H(Y) for any labels.

    References:
        Chelombiev et al., "Adaptive Estimators Show Information Compression in Deep Neural
        Networks", ICLR 2019, https://arxiv.org/abs/1902.09037
        ivansche/adaptive_estimators, information_process.py.

    >>> z = np.arange(8.0)[:, None]
    >>> ebab_mi(z, np.arange(8) // 4, bins=2, null=False)
    1.0
    """
    if bins < 2:
        raise InputError(f"bins must be ≥ 2, but is {bins}.")
    ids, sizes = class_ids(labels, "EBAB information")
    if on == "components":
        z = principal_components(centred_svd(embeddings), n_components, "EBAB information")
        states = row_states(_adaptive_bins(z, bins))[:, None]
    elif on == "dimensions":
        _check_varies(embeddings)
        states = _adaptive_bins(embeddings, bins)
    else:
        raise InputError(f"on must be 'dimensions' or 'components', but is {on!r}.")
    return float(plug_in_information(states, ids, sizes, null=null).mean())


def _check_varies(embeddings: Shaped[np.ndarray, "n d"]) -> None:
    if np.array_equal(embeddings.min(axis=0), embeddings.max(axis=0)):
        raise ScoreUndefinedError(
            f"EBAB information needs embeddings that vary, but all {len(embeddings)} are equal. "
            "Are the weights damaged?"
        )


def _adaptive_bins(values: Shaped[np.ndarray, "n d"], bins: int) -> Integer[np.ndarray, "n d"]:
    """Bin of each value among those of its column; see `ebab_mi`."""
    states = np.empty(values.shape, dtype=np.int32)
    for j, column in enumerate(values.T):
        distinct, counts = np.unique(column, return_counts=True)
        floor = int(counts[0] > 1)
        edges = equal_count_edges(distinct[floor:], bins) if floor < len(distinct) else distinct
        states[:, j] = np.searchsorted(edges, column, side="right")
    return states


def equal_count_edges(
    distinct: Float[np.ndarray, " u"] | Shaped[np.ndarray, " u"], bins: int
) -> Shaped[np.ndarray, " bins"]:
    """Lower edges of bins that hold equally many of the sorted distinct values."""
    return distinct[np.arange(bins) * len(distinct) // bins]
