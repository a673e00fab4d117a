"""Ridge regression on one-hot labels, with each image left out in turn."""

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_sums

# The penalty λ relative to the largest squared singular value, from strong to weak.
PENALTIES = tuple(10.0**power for power in range(1, -7, -1))


class LeftOut:
    """What all other images say of each image, for any penalty and any images.

    See `ridge_probe_accuracy` for the formula. Predictions take n × C numbers and O(n k C); of
    thousands of classes ask for few images, or for few penalties.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean, of rank k.
        ids: Class of each image, from 0 to C − 1.
        n_classes: C.
    """

    def __init__(self, centred_svd: ThinSvd, ids: Int[np.ndarray, " n"], n_classes: int) -> None:
        self._left, self._ids = centred_svd.left, ids
        self._squares = centred_svd.singular_values**2
        self._projections = class_sums(centred_svd.left, ids, n_classes).T  # P = Uᵀ y, k × C
        self._shares = np.bincount(ids, minlength=n_classes) / len(ids)  # ȳ

    def best_penalty(self) -> float:
        """Of `PENALTIES` that with the smallest squared error; of equal ones the largest."""
        return min(PENALTIES, key=self.squared_error)

    def squared_error(self, penalty: float) -> float:
        """Σᵢ ‖yᵢ − pᵢ‖², before the share of the image's own class is given back."""
        if len(self._squares) >= len(self._shares):
            return float(np.sum(self.errors(penalty) ** 2))
        return self._error_of_many_classes(penalty)

    def predictions(
        self, penalty: float, places: Int[np.ndarray, " m"] | slice = slice(None)
    ) -> Float[np.ndarray, "m classes"]:
        """Of some images' classes; the share of the image's own class is given back."""
        errors = self.errors(penalty, places)
        given_back = -self._shares / (len(self._ids) - 1) - errors
        own = np.arange(len(errors)), self._ids[places]
        given_back[own] += 1 + 1 / (len(self._ids) - 1)
        return given_back

    def errors(
        self, penalty: float, places: Int[np.ndarray, " m"] | slice = slice(None)
    ) -> Float[np.ndarray, "m classes"]:
        """Label less the prediction of the other images, for some images and each class."""
        left, shrinkage = self._left[places], self._shrinkage(penalty)
        errors = -self._shares - left @ (shrinkage[:, None] * self._projections)
        errors[np.arange(len(errors)), self._ids[places]] += 1
        return errors / self._not_its_own(penalty, places)[:, None]

    def _error_of_many_classes(self, penalty: float) -> float:
        """In O(n k²), with no n × C numbers: ‖yᵢ − ŷᵢ‖² = 1 − 2 ŷᵢ(yᵢ) + ‖ŷᵢ‖².

        With uᵢ the i-th row of U diag(d), ŷᵢ = ȳ + uᵢ P, so ‖ŷᵢ‖² = ‖ȳ‖² + 2 uᵢ P ȳ + uᵢ P Pᵀ uᵢᵀ.
        """
        rows = self._left * self._shrinkage(penalty)
        own = self._shares[self._ids] + np.sum(rows * self._projections.T[self._ids], axis=1)
        around = self._shares @ self._shares + 2 * rows @ (self._projections @ self._shares)
        squares = around + np.sum((rows @ (self._projections @ self._projections.T)) * rows, axis=1)
        return float(np.sum((1 - 2 * own + squares) / self._not_its_own(penalty) ** 2))

    def _shrinkage(self, penalty: float) -> Float[np.ndarray, " k"]:
        return self._squares / (self._squares + penalty * self._squares.max(initial=0))

    def _not_its_own(
        self, penalty: float, places: Int[np.ndarray, " m"] | slice = slice(None)
    ) -> Float[np.ndarray, " m"]:
        """1 − hᵢ: the part of an image's prediction that is not its own doing."""
        leverage = 1 / len(self._left) + self._left[places] ** 2 @ self._shrinkage(penalty)
        return 1 - leverage
