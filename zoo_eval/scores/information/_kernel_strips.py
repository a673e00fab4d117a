"""The diffusion kernel of many images in half the memory of one float32 matrix.

K = Δ^−½ G Δ^−½ as in `_diffusion`. It is symmetric, so only its upper triangle is kept, as strips
of 512 rows from the diagonal on: 2n² bytes, 5 GB for 50,000 images. The distances are written
into the strips, which become G and then K in place, a few rows at a time so that the rows stay in
the cache.

The eigenvalue 1 of K is known, with its eigenvector u = Δ^½1 / ‖Δ^½1‖. What is kept is
K' = K − uuᵀ, whose other eigenvalues are those of K. Where all images are alike, K is nearly uuᵀ
and the small rest would else be lost in the rounding of products with K.

Float32 takes a relative 10⁻⁷ off each entry, at random: a symmetric matrix of that size has
eigenvalues of about 10⁻⁷ ‖K‖_F / √n, below which those of K are not seen. Distances come from a
float32 product, unless the embeddings are so large against σ that the exponents would suffer.
"""

import numpy as np
from jaxtyping import Float, Shaped

from zoo_eval.quantities.distances import ImageDistances
from zoo_eval.scores.information._diffusion import fixed_variance, median_variance
from zoo_eval.scores.information._strip_median import median_of_pairs

_STRIP = 512  # rows
_ROWS_AT_A_TIME = 16  # that are changed together: 3 MB of 50,000 images
# Squared lengths above this multiple of σ² make float32 products wrong by 10⁻⁴ in the exponent.
_LARGEST_IN_FLOAT32 = 200.0
_FAR = 1e30  # squared distances in units of σ² from here on are one, which float32 can hold


class KernelStrips:
    """K' = K − uuᵀ of the diffusion kernel of some images, for products with it.

    Attributes:
        n: Number of images.
        top: u, the eigenvector of K with eigenvalue 1, float32.
        trace: tr K'.
        square_norm: ‖K'‖_F².
    """

    def __init__(
        self, distances: ImageDistances, bandwidth: str | float | int, features: str
    ) -> None:
        self.n = len(distances)
        self._starts = range(0, self.n, _STRIP)
        self._strips: list[np.ndarray] = []
        z = _centred(distances.embeddings)
        if bandwidth == "median":
            variance = self._take_distances_and_median(z)
        else:
            variance = 1.0
            z /= np.sqrt(fixed_variance(distances.n_features, bandwidth, features))
            self._take_distances(z, in_float32=_longest(z) < _LARGEST_IN_FLOAT32)
        del z  # as large as several strips
        degrees = self._to_gaussian_kernel(variance)
        self.top = np.sqrt(degrees / degrees.sum()).astype(np.float32)
        self.trace, self.square_norm = self._normalise(degrees)

    def __matmul__(self, vectors: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
        """K' times vectors in float32."""
        product = np.zeros_like(vectors)
        for start, strip in zip(self._starts, self._strips, strict=True):
            stop = start + len(strip)
            product[start:stop] += strip @ vectors[start:]
            # The part right of the diagonal block stands for the one below it, too.
            product[stop:] += strip[:, len(strip) :].T @ vectors[start:stop]
        return product

    def _take_distances_and_median(self, z: Float[np.ndarray, "n d"]) -> float:
        """Squared distances in units of the mean squared length, and σ² from their median."""
        z /= np.sqrt(np.mean(z**2) * z.shape[1] or 1.0)
        longest, median = _longest(z), 0.0
        for in_float32 in (True, False):
            self._take_distances(z, in_float32=in_float32)
            median = median_of_pairs(self._strips, self.n, rounding=1e-14 * longest)
            if longest < _LARGEST_IN_FLOAT32 * median / 2:
                break
        return median_variance(median, self.n)

    def _take_distances(self, z: Float[np.ndarray, "n d"], *, in_float32: bool) -> None:
        """‖zᵢ‖² + ‖zⱼ‖² − 2 zᵢ·zⱼ, kept in float32 whatever the product is taken in."""
        z = z.astype(np.float32 if in_float32 else np.float64, copy=False)
        squares = np.einsum("ij,ij->i", z, z)
        self._strips = []  # a first try in float32 goes before the second is made
        for start in self._starts:
            strip = z[start : start + _STRIP] @ z[start:].T
            for row in range(0, len(strip), _ROWS_AT_A_TIME):
                rows = strip[row : row + _ROWS_AT_A_TIME]
                rows *= -2
                rows += squares[start:]
                rows += squares[start + row : start + row + len(rows), None]
                np.clip(rows, 0, _FAR, out=rows)
            np.fill_diagonal(strip, 0)
            self._strips.append(strip.astype(np.float32, copy=False))

    def _to_gaussian_kernel(self, variance: float) -> Float[np.ndarray, " n"]:
        """Turn distances into G, in place; the row sums of G."""
        degrees = np.zeros(self.n)
        for start, strip in zip(self._starts, self._strips, strict=True):
            n_rows = len(strip)
            for row in range(0, n_rows, _ROWS_AT_A_TIME):
                rows = strip[row : row + _ROWS_AT_A_TIME]
                rows *= -0.5 / variance
                np.exp(rows, out=rows)
                degrees[start + row : start + row + len(rows)] += rows.sum(axis=1)
                degrees[start + n_rows :] += rows[:, n_rows:].sum(axis=0)
        return degrees

    def _normalise(self, degrees: Float[np.ndarray, " n"]) -> tuple[float, float]:
        """Turn G into K', in place; its trace and squared Frobenius norm."""
        scale = (1 / np.sqrt(degrees)).astype(np.float32)
        trace = square_norm = 0.0
        for start, strip in zip(self._starts, self._strips, strict=True):
            n_rows = len(strip)
            for row in range(0, n_rows, _ROWS_AT_A_TIME):
                rows = strip[row : row + _ROWS_AT_A_TIME]
                here = slice(start + row, start + row + len(rows))
                rows *= scale[start:]
                rows *= scale[here, None]
                rows -= np.multiply.outer(self.top[here], self.top[start:])
                squares = np.square(rows)
                block = squares[:, :n_rows].sum(axis=1).sum(dtype=np.float64)
                rest = squares[:, n_rows:].sum(axis=1).sum(dtype=np.float64)
                square_norm += float(block + 2 * rest)
            trace += float(np.trace(strip[:, :n_rows], dtype=np.float64))
        return trace, square_norm


def _centred(embeddings: Shaped[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Embeddings less their mean, float64; exactly zero if all are equal."""
    z = embeddings.astype(np.float64)
    z -= z[0].copy()
    z -= z.mean(axis=0)
    return z


def _longest(z: Float[np.ndarray, "n d"]) -> float:
    return float(np.einsum("ij,ij->i", z, z).max())
