"""Ridge regression with several penalties at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve


@dataclass(frozen=True)
class Linear:
    """A fitted linear regression.

    Attributes:
        coefficients: One per column.
        intercept: What is added.
    """

    coefficients: Float[np.ndarray, " columns"]
    intercept: float

    def predict(self, columns: Float[np.ndarray, "n columns"]) -> Float[np.ndarray, " n"]:
        """The prediction for each row."""
        return columns @ self.coefficients + self.intercept


def ridges(
    columns: Float[np.ndarray, "n columns"],
    truth: Float[np.ndarray, " n"],
    penalties: Sequence[float],
) -> list[Linear]:
    """What `sklearn.linear_model.Ridge` fits with each penalty; products are taken only once.

    With X and y centred, the coefficients are (XᵀX + penalty)⁻¹ Xᵀy = Xᵀ (XXᵀ + penalty)⁻¹ y, of
    which the smaller matrix is inverted.
    """
    centre, level = columns.mean(axis=0), float(truth.mean())
    x, y = columns - centre, truth - level
    n, n_columns = x.shape
    products = x @ x.T if n < n_columns else x.T @ x
    right = y if n < n_columns else x.T @ y
    found: list[Linear] = []
    for penalty in penalties:
        solved = solve(products + penalty * np.eye(len(products)), right, assume_a="pos")
        coefficients = x.T @ solved if n < n_columns else solved
        found.append(Linear(coefficients, level - float(centre @ coefficients)))
    return found
