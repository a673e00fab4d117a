"""How much of the initial network's view of the images is left."""

import numpy as np
from jaxtyping import Float

from zoo_eval.quantities.response import alignment, linear_cka
from zoo_eval.scores._score import score


@score(unit="cosine", higher_is_better=None, bounds=(0.0, 1.0), cost="2 forwards")
def representation_alignment(
    embeddings: Float[np.ndarray, "n d"],
    initial_embeddings: Float[np.ndarray, "n e"],
    *,
    centred: bool = False,
) -> float:
    """Cosine between the images' inner products now and at the start.

    ⟨K, K₀⟩ / (‖K‖ ‖K₀‖) with K = HHᵀ, H the embeddings of all images, one row each, and K₀ those
    of the initial network. Near 1 where a network learned lazily: its features are those of the
    start, and only the last layer learned.

    The start is what timm's initialisation gives with the manifest's `seed`: the true one, where
    the network was trained from there, as in the fashion zoo. Without a seed it is a fresh draw,
    and not what the network came from.
    Batch norm of the initial network has the statistics of the probe images.

    As published, K is not centred: features of ReLU, none of which is negative, are then alike
    before they are anything else, and the value is seldom far below 1. `centred` makes it linear
    CKA, which sees differences between images alone.

    Args:
        embeddings: H.
        initial_embeddings: H₀, of the same images by the initial network.
        centred: Whether the columns' means are taken off first.

    Returns:
        From 0 to 1 (the same up to rotation and scale).

    Raises:
        ScoreUndefinedError: the initial network's embeddings are not finite.

    References:
        Liu et al., "How Connectivity Structure Shapes Rich and Lazy Learning in Neural
            Circuits", ICLR 2024, https://arxiv.org/abs/2310.08513
        Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019,
            https://arxiv.org/abs/1905.00414

    >>> z = np.eye(3)
    >>> representation_alignment(z, 2 * z[:, [2, 0, 1]])
    1.0
    """
    if centred:
        return linear_cka(embeddings, initial_embeddings)
    return alignment(_scaled(embeddings), _scaled(initial_embeddings))


def _scaled(z: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """With a largest entry of 1, so that no fourth power over- or underflows."""
    z = z.astype(np.float64)
    return z / (np.abs(z).max() or 1.0)
