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
        scale = None
        if bandwidth != "median":
            scale = fixed_variance(distances.n_features, bandwidth, features)
        self._strips = self._distances(distances.embeddings, scale)  # in units of σ²
        variance = 1.0 if scale else median_variance(self._median(), self.n)
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

    def _distances(
        self, embeddings: Shaped[np.ndarray, "n d"], variance: float | None
    ) -> list[Float[np.ndarray, "rows columns"]]:
        """Squared distances over σ², or over the mean squared length where σ follows from them.

        ‖zᵢ‖² + ‖zⱼ‖² − 2 zᵢ·zⱼ of the centred embeddings.
        """
        z = embeddings.astype(np.float64)
        z -= z.mean(axis=0)
        unit = variance or float(np.mean(z**2)) * z.shape[1] or 1.0
        z /= np.sqrt(unit)
        squares = np.einsum("ij,ij->i", z, z)
        if squares.max() < _LARGEST_IN_FLOAT32:
            z, squares = z.astype(np.float32), squares.astype(np.float32)
        strips: list[np.ndarray] = []
        for start in self._starts:
            strip = z[start : start + _STRIP] @ z[start:].T
            for row in range(0, len(strip), _ROWS_AT_A_TIME):
                rows = strip[row : row + _ROWS_AT_A_TIME]
                rows *= -2
                rows += squares[start:]
                rows += squares[start + row : start + row + len(rows), None]
                np.clip(rows, 0, _FAR, out=rows)
            np.fill_diagonal(strip, 0)
            strips.append(strip.astype(np.float32, copy=False))
        return strips

    def _median(self) -> float:
        """Median over the pairs of different images, to a millionth, by bisection."""
        n_pairs = self.n * (self.n - 1) // 2
        low, high = 0.0, max(float(strip.max()) for strip in self._strips)
        if 2 * self._pairs_within(0.0) >= n_pairs:
            return 0.0
        while high - low > 1e-6 * high:
            middle = (low + high) / 2
            if 2 * self._pairs_within(middle) >= n_pairs:
                high = middle
            else:
                low = middle
        return (low + high) / 2

    def _pairs_within(self, distance: float) -> int:
        """How many pairs of different images are no further apart."""
        pairs = 0
        for strip in self._strips:
            n_rows = len(strip)
            block = int(np.count_nonzero(strip[:, :n_rows] <= distance))
            rest = int(np.count_nonzero(strip[:, n_rows:] <= distance))
            pairs += (block - n_rows) // 2 + rest  # the diagonal block holds each pair twice
        return pairs

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
