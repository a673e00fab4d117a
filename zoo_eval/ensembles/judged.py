"""How right probabilities are, and how sure a difference of two of them is."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri


def judged(
    probabilities: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]
) -> tuple[Bool[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Which images are right; and what each counts where the best is chosen.

    A right image counts one. Where as many are right, the likelihood of the classes decides: all
    images' together count less than one.
    """
    right = probabilities.argmax(axis=1) == labels
    own = probabilities[np.arange(len(labels)), labels]
    return right, right + own / (len(labels) + 1)


def paired_interval(better: float, worse: float, n: int) -> tuple[float, float]:
    """Agresti and Min's 95 % interval of the difference of two shares of the same n images.

    Wald's for (better − worse) / n, after adding ½ to each of the four counts of right and wrong.

    Args:
        better: How many images only the one gets right.
        worse: How many only the other gets right.
        n: How many images there are.

    References:
        Agresti and Min, "Simple improved confidence intervals for comparing matched proportions",
        Statistics in Medicine 2005, https://doi.org/10.1002/sim.1781
    """
    b, c, total = better + 0.5, worse + 0.5, n + 2
    centre = (b - c) / total
    half = float(ndtri(0.975)) * float(np.sqrt(b + c - (b - c) ** 2 / total)) / total
    return max(centre - half, -1.0), min(centre + half, 1.0)
