"""The Poincaré ball of curvature −1: the unit ball, in which distances grow towards the rim.

Another curvature −c is the same ball with all vectors scaled by √c, so the scale of what is put
in takes the place of c.
"""

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.scores._classes import class_sums

# Beyond this norm 1 − ‖x‖² would have too few digits; exp₀ gets there at ‖v‖ = 6.1.
_LARGEST_NORM = 1 - 1e-5


def exp0(vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Points of the ball that lie in the vectors' directions: tanh(‖v‖) v / ‖v‖.

    The distance of exp₀(v) from the origin is 2 ‖v‖, but for vectors put back from the rim.
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    shrunk = np.minimum(np.tanh(norms), _LARGEST_NORM)
    return vectors * np.divide(shrunk, norms, out=np.ones_like(norms), where=norms > 0)


def distances(
    points: Float[np.ndarray, "n d"], others: Float[np.ndarray, "m d"]
) -> Float[np.ndarray, "n m"]:
    """arcosh(1 + 2 ‖x − y‖² / ((1 − ‖x‖²)(1 − ‖y‖²))) between each pair."""
    squares, other_squares = (np.einsum("ij,ij->i", x, x) for x in (points, others))
    apart = np.add.outer(squares, other_squares) - 2 * points @ others.T
    ratio = np.maximum(apart, 0) / np.outer(1 - squares, 1 - other_squares)
    return 2 * np.arcsinh(np.sqrt(ratio))  # arcosh(1 + 2r), without the loss of small r


def midpoints(
    points: Float[np.ndarray, "n d"], ids: Int[np.ndarray, " n"], n_classes: int
) -> Float[np.ndarray, "classes d"]:
    """Midpoint of each class: the mean in the hyperboloid, pulled back onto it.

    m = Σ γᵢ xᵢ / (Σ γᵢ − n/2) with γ = 1 / (1 − ‖x‖²), and then half the way from the origin to
    it: m / (1 + √(1 − ‖m‖²)).
    """
    gamma = 1 / (1 - np.einsum("ij,ij->i", points, points))
    weighted = class_sums(points * gamma[:, None], ids, n_classes)
    m = weighted / (np.bincount(ids, gamma - 0.5, minlength=n_classes)[:, None])
    remainder = 1 - np.einsum("ij,ij->i", m, m)
    return m / (1 + np.sqrt(np.maximum(remainder, 0)))[:, None]
