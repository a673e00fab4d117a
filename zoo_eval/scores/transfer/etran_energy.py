"""ETran's first part: the energy of the images that the network knows least."""

import math

import numpy as np
from jaxtyping import Float, Shaped
from scipy.special import logsumexp

from zoo_eval.errors import InputError
from zoo_eval.scores._score import score


@score(unit="nats", higher_is_better=True)
def etran_energy(
    logits: Shaped[np.ndarray, "n source_classes"],
    embeddings: Shaped[np.ndarray, "n d"],
    *,
    share: float | int = 0.005,
    source: str = "logits",
) -> float:
    """Mean log-sum-exp of the logits, over the share of the images where it is lowest.

    With eᵢ = ln Σ_z exp(logit_iz), the negative free energy of image i, the score is the mean of
    the m lowest eᵢ, m = ⌊share · n⌋ but at least 1. A low eᵢ says that the image is unlike those
    that the network was trained on. No labels are used.

    The official driver does not take the logits, as the paper does, but feeds the embeddings to
    the same formula: that is `source="embeddings"`. It takes m = ⌊5n / 1000⌋ and returns NaN for
    n below 200, where we take the lowest image. The value moves with the temperature of the
    logits and their number: compare networks with the same kind of head.

    Args:
        logits: Outputs of the network's classifier, one row per image.
        embeddings: Used with `source="embeddings"` only.
        share: Share of the images, above 0 and up to 1, which takes the mean of all.
        source: `"logits"` or `"embeddings"`.

    Returns:
        Nats. Unchanged by reordering images or the network's classes; adding a constant to all
        logits adds it to the score.

    Raises:
        InputError: share is not in (0, 1], or source is neither of the two.

    References:
        Gholami et al., "ETran: Energy-Based Transferability Estimation", ICCV 2023,
        https://arxiv.org/abs/2308.02027
        Liu et al., "Energy-based Out-of-distribution Detection", NeurIPS 2020,
        https://arxiv.org/abs/2010.03759

    >>> z = np.zeros((4, 3))
    >>> round(etran_energy(logits=z, embeddings=z), 6)  # ln 3
    1.098612
    """
    if not 0 < share <= 1:
        raise InputError(f"share must be above 0 and at most 1, but is {share}.")
    if source not in ("logits", "embeddings"):
        raise InputError(f"source must be 'logits' or 'embeddings', but is {source!r}.")
    chosen = (logits if source == "logits" else embeddings).astype(np.float64)
    energies: Float[np.ndarray, " n"] = np.asarray(logsumexp(chosen, axis=1))
    # 0.005 · n in binary may fall just short of a whole number.
    m = max(1, math.floor(share * len(energies) + 1e-9))
    return float(np.partition(energies, m - 1)[:m].mean())
