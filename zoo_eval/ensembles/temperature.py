"""Makes honest probabilities of a network's outputs."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

# From outputs that decide alone to outputs that say next to nothing.
_COLDEST, _HOTTEST = 2.0**-7, 2.0**3
_MOST_CELLS = 2_000_000  # images × classes that choose between them; more change nothing


def temperature(logits: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]) -> float:
    """T for which softmax(logits / T) gives the labels the largest likelihood.

    One image in n + 1 is thought to be labelled at random: so no image is thought impossible
    because the few that there are were all right. From 1/128 to 8.

    Args:
        logits: One row per image.
        labels: Class of each image.

    References:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017,
        https://arxiv.org/abs/1706.04599
    """
    n, n_classes = logits.shape
    images = np.unique(np.linspace(0, n - 1, min(n, _MOST_CELLS // n_classes)).astype(np.int64))
    some, own = logits[images], labels[images]

    def loss(log_temperature: float) -> float:
        logs = log_softmax(some / np.exp(log_temperature), axis=1)
        # One more image, like the mean of all, with each class as likely.
        return -float(np.mean(logs[np.arange(len(own)), own]) + logs.mean() / n)

    bounds = float(np.log(_COLDEST)), float(np.log(_HOTTEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x))
