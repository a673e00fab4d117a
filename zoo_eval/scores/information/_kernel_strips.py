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
from zoo_eval.threads import free_threads, in_threads, row_blocks

_STRIP = 512  # rows
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
        self._places = [
            slice(start, min(start + _STRIP, self.n)) for start in range(0, self.n, _STRIP)
        ]
        self._strips: list[np.ndarray] = []
        z = _centred(distances.embeddings)
        if bandwidth == "median":
            variance = self._take_distances_and_median(z)
        else:
            variance = 1.0
            scale = fixed_variance(distances.n_features, bandwidth, features) ** -0.5
            in_float32 = _longest(z) * scale**2 < _LARGEST_IN_FLOAT32
            self._take_distances(z, scale, in_float32=in_float32)
        del z  # as large as several strips
        degrees = self._to_gaussian_kernel(variance)
        self.top = np.sqrt(degrees / degrees.sum()).astype(np.float32)
        self.trace, self.square_norm = self._normalise(degrees)

    def __matmul__(self, vectors: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
        """K' times vectors in float32."""
        strips = list(zip(self._places, self._strips, strict=True))
        n_threads = free_threads()
        turn = 2 * n_threads  # strips grow shorter: dealt to and fro, all threads have as much

        def of_some(first: int) -> Float[np.ndarray, "n k"]:
            product, term = np.zeros_like(vectors), np.empty_like(vectors)
            for place, strip in strips[first::turn] + strips[turn - 1 - first :: turn]:
                rows = term[: len(strip)]
                product[place] += np.matmul(strip, vectors[place.start :], out=rows)
                # The part right of the diagonal block stands for the one below it, too.
                rows = term[: self.n - place.stop]
                product[place.stop :] += np.matmul(
                    strip[:, len(strip) :].T, vectors[place], out=rows
                )
            return product

        return sum(in_threads(of_some, range(n_threads)), start=np.zeros_like(vectors))

    def _take_distances_and_median(self, z: Float[np.ndarray, "n d"]) -> float:
        """Squared distances in units of the mean squared length, and σ² from their median."""
        scale = float(np.sqrt(np.mean(z**2) * z.shape[1])) ** -1 if z.any() else 1.0
        longest, median = _longest(z) * scale**2, 0.0
        for in_float32 in (True, False):
            self._take_distances(z, scale, in_float32=in_float32)
            median = median_of_pairs(self._strips, self.n, rounding=1e-14 * longest)
            if longest < _LARGEST_IN_FLOAT32 * median / 2:
                break
        return median_variance(median, self.n)

    def _take_distances(
        self, z: Float[np.ndarray, "n d"], scale: float, *, in_float32: bool
    ) -> None:
        """‖zᵢ‖² + ‖zⱼ‖² − 2 zᵢ·zⱼ, kept in float32 whatever the product is taken in.

        Args:
            z: The points, which are changed if the product is not taken in float32.
            scale: Their unit, which they are multiplied by.
            in_float32: Whether the product is.
        """
        points = np.empty(z.shape, dtype=np.float32) if in_float32 else z
        squares = np.empty(self.n, dtype=points.dtype)

        def take_points(rows: slice) -> None:
            block = np.multiply(z[rows], scale, out=points[rows], casting="same_kind")
            np.einsum("ij,ij->i", block, block, out=squares[rows])

        def take_strip(place: slice) -> Float[np.ndarray, "rows rest"]:
            strip = points[place] @ points[place.start :].T
            for rows in row_blocks(*strip.shape):
                block = strip[rows]
                block *= -2
                block += squares[place.start :]
                block += squares[place][rows, None]
                np.clip(block, 0, _FAR, out=block)
            np.fill_diagonal(strip, 0)
            return strip.astype(np.float32, copy=False)

        in_threads(take_points, row_blocks(*z.shape))
        self._strips = []  # a first try in float32 goes before the second is made
        self._strips = in_threads(take_strip, self._places)

    def _to_gaussian_kernel(self, variance: float) -> Float[np.ndarray, " n"]:
        """Turn distances into G, in place; the row sums of G."""

        def change(strip: Float[np.ndarray, "rows rest"]) -> Float[np.ndarray, " rest"]:
            n_rows = len(strip)
            sums = np.zeros(strip.shape[1])
            for rows in row_blocks(*strip.shape):
                block = strip[rows]
                block *= -0.5 / variance
                np.exp(block, out=block)
                sums[rows] += block.sum(axis=1)
                sums[n_rows:] += block[:, n_rows:].sum(axis=0)
            return sums

        degrees = np.zeros(self.n)
        for place, sums in zip(self._places, in_threads(change, self._strips), strict=True):
            degrees[place.start :] += sums
        return degrees

    def _normalise(self, degrees: Float[np.ndarray, " n"]) -> tuple[float, float]:
        """Turn G into K', in place; its trace and squared Frobenius norm."""
        scale = (1 / np.sqrt(degrees)).astype(np.float32)

        def change(at: tuple[slice, Float[np.ndarray, "rows rest"]]) -> tuple[float, float]:
            place, strip = at
            n_rows, square_norm = len(strip), 0.0
            for rows in row_blocks(*strip.shape):
                block = strip[rows]
                block *= scale[place.start :]
                block *= scale[place][rows, None]
                block -= np.multiply.outer(self.top[place][rows], self.top[place.start :])
                squares = np.square(block)
                once = squares[:, :n_rows].sum(axis=1).sum(dtype=np.float64)
                twice = squares[:, n_rows:].sum(axis=1).sum(dtype=np.float64)
                square_norm += float(once + 2 * twice)
            return float(np.trace(strip[:, :n_rows], dtype=np.float64)), square_norm

        found = in_threads(change, zip(self._places, self._strips, strict=True))
        return sum(trace for trace, _ in found), sum(norm for _, norm in found)


def _centred(embeddings: Shaped[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Embeddings less their mean, float64; exactly zero if all are equal."""
    n, d = embeddings.shape
    z, first, blocks = np.empty((n, d)), embeddings[0].astype(np.float64), row_blocks(n, d)

    def less_first(rows: slice) -> Float[np.ndarray, " d"]:
        return np.subtract(embeddings[rows], first, out=z[rows]).sum(axis=0)

    mean = sum(in_threads(less_first, blocks), start=np.zeros(d)) / n

    def less_mean(rows: slice) -> None:
        z[rows] -= mean

    in_threads(less_mean, blocks)
    return z


def _longest(z: Float[np.ndarray, "n d"]) -> float:
    """Largest squared length."""
    return float(np.einsum("ij,ij->i", z, z).max())
