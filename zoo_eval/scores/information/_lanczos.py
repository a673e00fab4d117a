"""Block Lanczos: what products with a large symmetric matrix tell of its spectrum.

From a block Z of w vectors, k products with K give an orthonormal basis Q of the Krylov space
span{Z, KZ, …, Kᵏ⁻¹Z} and the block tridiagonal T = QᵀKQ, of size kw. With the eigenvalues θⱼ and
eigenvectors yⱼ of T, and zᵢ = Q₁rᵢ,

    zᵢᵀ f(K) zᵢ ≈ Σⱼ f(θⱼ) (rᵢᵀ yⱼ[:w])²,

which is exact for polynomials f of degree 2k − 1 (block Gauss quadrature). The uⱼ = Qyⱼ are
nearly eigenvectors of K, the outermost first: ‖Kuⱼ − θⱼuⱼ‖ = ‖B yⱼ[−w:]‖, B the coupling of the
last block to the next.

Each new block is orthogonalised at least twice against the whole basis. Without this, rounding
lets converged directions come back as copies. Where a product adds fewer than w directions, as
when the rank of K runs out, the block is filled up with random ones. They couple to the rest with
the size of rounding, so the quadrature does not see them.

References:
    Golub and Underwood, "The block Lanczos method for computing eigenvalues", Mathematical
    Software III 1977.
    Golub and Meurant, "Matrices, Moments and Quadrature with Applications", Princeton 2010,
    chapters 3 (scalar) and 5 (block quadrature).
    Ubaru, Chen and Saad, "Fast estimation of tr(f(A)) via stochastic Lanczos quadrature",
    SIAM J. Matrix Anal. Appl. 2017, https://doi.org/10.1137/16M1104974
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_MOST_PASSES = 5
_NOTHING_LEFT = 1e-6  # of the largest product: what float32 leaves of one that adds no direction


class Ritz(NamedTuple):
    """What a Krylov space knows of the spectrum; k blocks of w vectors.

    Attributes:
        values: θⱼ, ascending, those below 0 by rounding set to 0; (kw,).
        weights: (rᵢᵀ yⱼ[:w])², one row per start vector; (w, kw).
        residuals: ‖Kuⱼ − θⱼuⱼ‖, (kw,).
        coordinates: yⱼ, one per column, (kw, kw).
    """

    values: Float[np.ndarray, " kw"]
    weights: Float[np.ndarray, "w kw"]
    residuals: Float[np.ndarray, " kw"]
    coordinates: Float[np.ndarray, "kw kw"]


class KrylovSpace:
    """Krylov space of a symmetric matrix from a block of vectors, in float32.

    Args:
        vectors: Z, (n, w).
        most_steps: Products that will be given at most; (most_steps · w) ≤ n.

    Attributes:
        vectors: Z.
        steps: Products given so far.
    """

    def __init__(self, vectors: Float[np.ndarray, "n w"], most_steps: int) -> None:
        n, self._width = vectors.shape
        self.vectors = vectors
        self.steps = 0
        block, sizes, turned = _directions(vectors)
        self._start = sizes[:, None] * turned
        self._basis = np.empty((n, self._width * most_steps), dtype=np.float32)
        self._basis[:, : self._width] = block
        size = self._width * (most_steps + 1)
        self._projected = np.zeros((size, size))  # T and the coupling to the block after it
        self._largest = 0.0  # norm of a product so far
        self._generator = np.random.default_rng(0)
        self._ritz: dict[int, Ritz] = {}

    @property
    def newest(self) -> Float[np.ndarray, "n w"]:
        """The block whose product with the matrix is asked for next."""
        return self._basis[:, self._part(self.steps)]

    def extend(self, product: Float[np.ndarray, "n w"]) -> None:
        """Take the product of the matrix with the newest block."""
        here, after = self._part(self.steps), self._part(self.steps + 1)
        basis = self._basis[:, : here.stop]
        inner = basis.T @ product
        self._largest = max(self._largest, float(np.linalg.norm(product, axis=0).max()))
        block, sizes, turned = _directions(product - basis @ inner)
        self._fill_up(block, sizes)
        coupling = sizes[:, None] * turned
        for _ in range(_MOST_PASSES):
            block, sizes, turned = _directions(block - basis @ (basis.T @ block))
            coupling = sizes[:, None] * (turned @ coupling)
            if sizes.min() > 0.5:  # little was left to take off
                break
        diagonal = inner[here].astype(np.float64)
        self._projected[here, here] = (diagonal + diagonal.T) / 2
        self._projected[after, here] = coupling
        self._projected[here, after] = coupling.T
        if after.stop <= self._basis.shape[1]:
            self._basis[:, after] = block
        self.steps += 1

    def _fill_up(self, block: Float[np.ndarray, "n w"], sizes: Float[np.ndarray, " w"]) -> None:
        """Put random vectors in the place of directions that a product did not add."""
        missing = sizes <= _NOTHING_LEFT * self._largest
        sizes[missing] = 0
        fill = self._generator.standard_normal((len(block), int(missing.sum())), dtype=np.float32)
        block[:, missing] = fill / np.sqrt(np.float32(len(block)))

    def ritz(self, steps: int) -> Ritz:
        """Eigenvalues and eigenvectors of T after so many steps, up to all that were made."""
        if steps not in self._ritz:
            self._ritz[steps] = self._compute_ritz(steps)
        return self._ritz[steps]

    def _compute_ritz(self, steps: int) -> Ritz:
        size, width = steps * self._width, self._width
        values, coordinates = np.linalg.eigh(self._projected[:size, :size])
        start = self._start.astype(np.float64)
        coupling = self._projected[size : size + width, size - width : size]
        return Ritz(
            values=np.maximum(values, 0),
            weights=(start.T @ coordinates[:width]) ** 2,
            residuals=np.linalg.norm(coupling @ coordinates[-width:], axis=0),
            coordinates=coordinates,
        )

    def overlaps(
        self, coordinates: Float[np.ndarray, "kw m"], vectors: Float[np.ndarray, "n v"]
    ) -> Float[np.ndarray, "m v"]:
        """(uⱼᵀv)² of m vectors uⱼ of this space, by their coordinates, with any other vectors."""
        basis = self._basis[:, : len(coordinates)]
        return np.square(coordinates.T @ (basis.T @ vectors).astype(np.float64))

    def _part(self, step: int) -> slice:
        return slice(step * self._width, (step + 1) * self._width)


def _directions(
    block: Float[np.ndarray, "n w"],
) -> tuple[Float[np.ndarray, "n w"], Float[np.ndarray, " w"], Float[np.ndarray, "w w"]]:
    """Singular value decomposition of a tall block, in float64; the left vectors as float32.

    From the eigenvectors of the small Gram matrix, in a tenth of the time of a QR decomposition.
    The left vectors of singular values below 10⁻⁸ of the largest are not orthogonal to the rest.
    """
    tall = block.astype(np.float64)
    squares, vectors = np.linalg.eigh(tall.T @ tall)
    sizes = np.sqrt(np.maximum(squares, 0))
    left = tall @ (vectors / np.where(sizes > 0, sizes, 1.0))
    return left.astype(np.float32), sizes, vectors.T
