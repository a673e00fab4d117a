import numpy as np
import pytest

from zoo_eval.scores.information._lanczos import KrylovSpace


def matrix(n=60, seed=0):
    """Symmetric with eigenvalues in [0, 1], crowded at 0."""
    rng = np.random.default_rng(seed)
    vectors = np.linalg.qr(rng.normal(size=(n, n)))[0]
    return (vectors * rng.uniform(size=n) ** 3) @ vectors.T


def space(a, width=3, steps=4, seed=1):
    n = len(a)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(n, width)).astype(np.float32)
    krylov = KrylovSpace(signs, n // width)
    for _ in range(steps):
        krylov.extend((a @ krylov.newest).astype(np.float32))
    return krylov


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_quadrature_is_exact_for_polynomials_of_degree_2k_minus_1(steps):
    a = matrix()
    krylov = space(a, steps=4)
    found = krylov.ritz(steps)
    for degree in range(2 * steps):
        exact = np.einsum(
            "iw,ij,jw->w", krylov.vectors, np.linalg.matrix_power(a, degree), krylov.vectors
        )
        np.testing.assert_allclose(found.weights @ found.values**degree, exact, rtol=1e-5)


def test_quadrature_of_a_whole_space_is_exact():
    a = matrix(n=60)
    krylov = space(a, width=3, steps=20)
    values, vectors = np.linalg.eigh(a)
    exact = np.sum(np.sqrt(np.abs(values))[:, None] * (vectors.T @ krylov.vectors) ** 2, axis=0)
    found = krylov.ritz(20)
    # √ is steep at 0, where the eigenvalues are known to float32's 10⁻⁷ only.
    np.testing.assert_allclose(found.weights @ np.sqrt(found.values), exact, rtol=1e-4)


def test_residuals_are_those_of_the_vectors():
    a = matrix()
    krylov = space(a, steps=6)
    found = krylov.ritz(6)
    vectors = krylov._basis[:, : 3 * 6] @ found.coordinates
    np.testing.assert_allclose(
        found.residuals, np.linalg.norm(a @ vectors - vectors * found.values, axis=0), atol=1e-6
    )
    np.testing.assert_allclose(found.values[-1], np.linalg.eigvalsh(a)[-1], rtol=0.01)


def test_overlaps_are_squared_products_with_the_vectors():
    krylov = space(matrix(), steps=5)
    coordinates = krylov.ritz(5).coordinates[:, -4:]
    others = np.random.default_rng(3).normal(size=(60, 2)).astype(np.float32)
    vectors = krylov._basis[:, :15] @ coordinates
    np.testing.assert_allclose(
        krylov.overlaps(coordinates, others), (vectors.T @ others) ** 2, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("rank", [0, 1, 2, 5])
@pytest.mark.parametrize("value", [1.0, 1e-3])
def test_the_basis_stays_orthonormal_when_a_low_rank_runs_out(rank, value):
    a = np.zeros((60, 60))
    a[range(rank), range(rank)] = value
    krylov = space(a, width=4, steps=8)
    basis = krylov._basis[:, : 4 * 8]
    np.testing.assert_allclose(basis.T @ basis, np.eye(32), atol=1e-5)
    found = krylov.ritz(8)
    exact = value * np.sum(krylov.vectors[:rank] ** 2, axis=0)
    np.testing.assert_allclose(found.weights @ found.values, exact, atol=1e-5)


def test_the_identity_ends_at_once_and_stays_the_identity():
    krylov = space(np.eye(60), width=4, steps=8)
    found = krylov.ritz(8)
    np.testing.assert_allclose(found.values, 1, atol=1e-5)
    np.testing.assert_allclose(found.weights.sum(axis=1), 60, rtol=1e-5)
