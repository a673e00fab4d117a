"""Weights of an average of probabilities, fitted to images that have labels."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import softmax

# A probability of 0 would make one image count more than all others together.
FLOOR = 1e-15


def mixture_weights(of_labels: Float[np.ndarray, "n members"]) -> Float[np.ndarray, " members"]:
    """Weights α ≥ 0 of sum 1 with the least log loss −mean log Σₖ αₖ pₖ(yᵢ).

    The loss is convex in α. As in AWARE-NET α = softmax(w) and w starts at ones; w is found by
    L-BFGS, with the gradient αₖ (1 − mean pₖ(yᵢ) / Σⱼ αⱼ pⱼ(yᵢ)). The same weights are the fixed
    point of expectation maximisation, αₖ ← mean αₖ pₖ(yᵢ) / Σⱼ αⱼ pⱼ(yᵢ). A member that is not
    needed gets a weight near 0, never 0. Where members agree on all images, so do their weights.

    Args:
        of_labels: Probability that each member gives to the class of each image.

    References:
        "AWARE-NET: Adaptive Weighted Averaging for Robust Ensemble Network in Deepfake
            Detection", 2025, https://arxiv.org/abs/2505.00312

    >>> [round(float(a), 3) for a in mixture_weights(np.array([[0.9, 0.1], [0.1, 0.9]]))]
    [0.5, 0.5]
    """
    p = np.maximum(of_labels.astype(np.float64), FLOOR)

    def loss(w: Float[np.ndarray, " members"]) -> tuple[float, Float[np.ndarray, " members"]]:
        weights = softmax(w)
        mixed = p @ weights
        slopes = weights * (1 - (p / mixed[:, None]).mean(axis=0))
        return -float(np.log(mixed).mean()), slopes

    start = np.ones(p.shape[1])
    settings = {"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-9}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=settings)
    return np.asarray(softmax(found.x))


def log_loss(of_labels: Float[np.ndarray, " n"]) -> float:
    """−mean log p(yᵢ) in nats; a probability below 1e-15 counts as that."""
    return -float(np.log(np.maximum(of_labels, FLOOR)).mean())
