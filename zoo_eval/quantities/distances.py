"""Distances between embeddings, shared by every score that compares images in pairs.

One matrix serves all scores of a model: the distances that the Gram matrix ZZᵀ gives cost
O(n² d), more than most scores that start from them. But from some n on nobody wants the whole:
20 classes need a twentieth of it, and 50,000 images would take 20 GB. So what the scores share
is `ImageDistances`, which computes the matrix, or blocks of it, when asked.
"""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.quantities._quantity import QUANTITIES, Quantity, needs_of, quantity
from zoo_eval.threads import free_threads, in_threads, row_blocks

# Up to this many images the matrix (134 MB) is made at once and every block is taken from it.
# Of more, each is computed by itself. The number of images alone decides, not what other scores
# have asked for before, so that a score's digits do not depend on its neighbours in a run.
MATRIX_UP_TO = 4096

_STRIP = 128  # rows of the matrix that a thread computes at a time


def squared_distances(embeddings: Shaped[np.ndarray, "n d"]) -> np.ndarray:
    """Squared Euclidean distances ‖zᵢ − zⱼ‖², shape (n, n), float64, exactly symmetric.

    From the Gram matrix: ‖zᵢ‖² + ‖zⱼ‖² − 2 zᵢ·zⱼ. The mean is taken off first, which changes
    no distance and keeps the digits that the subtraction would otherwise cancel.
    """
    distances = np.empty((len(embeddings), len(embeddings)))
    _take_distances(embeddings.astype(np.float64), distances)
    return distances


def _take_distances(z: Float[np.ndarray, "n d"], distances: Float[np.ndarray, "n n"]) -> None:
    """Write the squared distances of points, which are not kept."""
    z -= z.mean(axis=0)
    n = len(z)
    squares = np.einsum("ij,ij->i", z, z)

    def fill(rows: slice) -> None:
        """The rows from the diagonal on, and the columns below it, which are the same."""
        block, rest = distances[rows, rows], distances[rows, rows.stop :]
        np.matmul(z[rows], z[rows].T, out=block)  # BLAS computes this as a symmetric product
        np.matmul(z[rows], z[rows.stop :].T, out=rest)
        both = distances[rows, rows.start :]
        for few in row_blocks(len(both), n):
            part = both[few]
            part *= -2
            # ‖zᵢ‖² + ‖zⱼ‖² is one rounding of its own, so the sum is symmetric to the last bit.
            part += np.add.outer(squares[rows][few], squares[rows.start :])
            np.maximum(part, 0, out=part)
        np.fill_diagonal(block, 0)
        distances[rows.stop :, rows] = rest.T

    strip = _STRIP if free_threads() > 1 else n  # one thread is faster with the whole
    in_threads(fill, [slice(start, min(start + strip, n)) for start in range(0, n, strip)])


class ImageDistances:
    """Squared Euclidean distances between images, computed when asked for.

    Attributes:
        embeddings: One row per image.
    """

    def __init__(self, embeddings: Shaped[np.ndarray, "n d"]) -> None:
        self.embeddings = embeddings

    def __len__(self) -> int:
        return len(self.embeddings)

    @property
    def n_features(self) -> int:
        """Number of features of an embedding."""
        return self.embeddings.shape[1]

    @cached_property
    def matrix(self) -> Float[np.ndarray, "n n"]:
        """All of them, 8n² bytes; see `squared_distances`. Not to be changed."""
        return squared_distances(self.embeddings)

    def within(self, subsets: Int[np.ndarray, "b size"]) -> Float[np.ndarray, "b size size"]:
        """Those within each subset of the images, given as rows of image numbers."""
        if len(self) <= MATRIX_UP_TO:
            return self.matrix[subsets[:, :, None], subsets[:, None, :]]
        found = np.empty((*subsets.shape, subsets.shape[1]))
        chosen = np.empty((subsets.shape[1], self.n_features), self.embeddings.dtype)
        for place, subset in enumerate(subsets):
            # Written to the same place again, as fresh memory is slower than the copy itself.
            self.embeddings.take(subset, axis=0, out=chosen, mode="clip")
            _take_distances(chosen.astype(np.float64, copy=False), found[place])
        return found


@quantity
def image_distances(embeddings: Shaped[np.ndarray, "n d"]) -> ImageDistances:
    """Squared distances of which scores take the whole matrix or a part."""
    distances = ImageDistances(embeddings)
    if len(distances) <= MATRIX_UP_TO:
        _ = distances.matrix  # here, so that its time counts for every score that shares it
    return distances


def _whole_matrix(image_distances: ImageDistances) -> np.ndarray:
    return image_distances.matrix


# The quantity `squared_distances` is that same matrix. The function of the name takes the
# embeddings, for those who need the distances of other points.
QUANTITIES["squared_distances"] = Quantity(
    "squared_distances", needs_of(_whole_matrix), _whole_matrix
)
