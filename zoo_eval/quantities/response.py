"""How a network's answers differ from those that it gave before it or its images were changed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import log_softmax

from zoo_eval.quantities.forward import ForwardPass

_ROUNDING = 1e-13


@dataclass(frozen=True)
class Response:
    """Answers after a change against those before it. 1 is no difference, except for accuracy.

    Attributes:
        agreement: Share of the images whose most likely class stays the same; no labels needed.
        fidelity: exp(−KL), KL the mean over images of Σ p ln(p / q), p the probabilities
            before and q those after the change.
        cka: Linear CKA of the embeddings before and after.
        accuracy: Top-1 after the change; None if the head does not know the dataset's classes.
    """

    agreement: float
    fidelity: float
    cka: float
    accuracy: float | None


def response(
    before: ForwardPass, after: ForwardPass | None, head_labels: Int[np.ndarray, " n"] | None
) -> Response:
    """Compare two passes over the same images.

    Args:
        before: Of the untouched network.
        after: Of the changed one; None if its outputs are no numbers: then nothing is left.
        head_labels: Class ids as the head counts them.
    """
    if after is None:
        return Response(0.0, 0.0, 0.0, None if head_labels is None else 0.0)
    classes = after.logits.argmax(axis=1)
    accuracy = None if head_labels is None else float((classes == head_labels).mean())
    return Response(
        agreement=float((classes == before.logits.argmax(axis=1)).mean()),
        fidelity=float(np.exp(-_divergence(before.logits, after.logits))),
        cka=linear_cka(before.embeddings, after.embeddings),
        accuracy=accuracy,
    )


def _divergence(before: Float[np.ndarray, "n classes"], after: np.ndarray) -> float:
    """Mean Kullback–Leibler divergence of the probabilities, in nats."""
    p, q = (log_softmax(logits.astype(np.float64), axis=1) for logits in (before, after))
    return max(float(np.sum(np.exp(p) * (p - q), axis=1).mean()), 0.0)


def linear_cka(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n e"]) -> float:
    """‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖) of centred X and Y: 1 up to rotation, shift and scale.

    Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019. 0 if
    only one of the two varies from image to image; 1 if neither does.
    """
    return alignment(_centred(x), _centred(y))


def alignment(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n e"]) -> float:
    """Cosine between the Gram matrices XXᵀ and YYᵀ; 1 if both are zero, 0 if one is.

    X and Y should have entries near 1: their fourth powers are added up.
    """
    if not x.any() or not y.any():
        return float(x.any() == y.any())
    if min(x.shape[1], y.shape[1]) > len(x):  # the products of images are smaller
        gram_x, gram_y = x @ x.T, y @ y.T
        shared = float(np.sum(gram_x * gram_y))
        own = float(np.linalg.norm(gram_x) * np.linalg.norm(gram_y))
    else:
        shared = float(np.linalg.norm(x.T @ y) ** 2)
        own = float(np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    return min(shared / own, 1.0)


def _centred(z: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Less the mean, with a largest entry of 1, so that no fourth power over- or underflows."""
    z = z.astype(np.float64)
    centred = z - z.mean(axis=0)
    largest = np.abs(centred).max()
    # What is left of equal rows is rounding.
    return centred / largest if largest > _ROUNDING * np.abs(z).max() else np.zeros_like(z)
