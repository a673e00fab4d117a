"""Powers of the weights of a score's distinct values, which say how tied it is in a resample."""

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.sparse import csr_array

from zoo_eval.correlation.resamples import Resamples
from zoo_eval.correlation.ties import sum_of_powers

_STRIP = 256  # families: 2 MB for 1,000 resamples


class ValueWeights:
    """Σ_values W^p of a score in every resample, W being the weight of the models of a value.

    A value that one model has adds c^p, with c the multiplicity of the model's family. Most
    scores have few other values or none, so Σ c^p over all models is computed once; what a score
    changes of it are the models that share a value with another. All sums are of whole numbers,
    hence exact.
    """

    def __init__(self, resamples: Resamples, power: int) -> None:
        """Sum over models as if no two of them had the same value.

        Args:
            resamples: Resamples of the models.
            power: p, 2 or 3.
        """
        self._families = resamples.families
        self._counts = resamples.by_family
        self._power = power
        self._untied = self._of_models(self._families)

    def __call__(self, x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """The sum for a score."""
        _, values, sizes = np.unique(x, return_inverse=True, return_counts=True)
        shared = sizes > 1
        if not shared.any():
            return self._untied
        tied = shared[values]
        rows, families = (np.cumsum(shared) - 1)[values[tied]], self._families[tied]
        # Models by value and family: nearly all are 0.
        models = csr_array(
            (np.ones(len(rows)), (rows, families)), shape=(shared.sum(), len(self._counts))
        )
        weights: Float[np.ndarray, "values resamples"] = models @ self._counts
        return self._untied - self._of_models(families) + sum_of_powers(weights, self._power)

    def _of_models(self, families: Int[np.ndarray, " models"]) -> Float[np.ndarray, " resamples"]:
        """Σ c^p over some models."""
        found, models = np.unique(families, return_counts=True)
        total = np.zeros(self._counts.shape[1])
        for start in range(0, len(found), _STRIP):
            strip = slice(start, start + _STRIP)
            counts = self._counts[found[strip]]
            powers = counts if self._power == 2 else counts * counts
            total += np.einsum("f,fr,fr->r", models[strip], powers, counts)
        return total
