import numpy as np
import pytest

from zoo_eval.quantities.spectra import centred_svd, thin_svd, uncentred_svd


def embeddings(n=30, d=12, rank=None, seed=0):
    rng = np.random.default_rng(seed)
    if rank is None:
        return rng.normal(size=(n, d)) + 3
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (5, 1), (1, 5)])
def test_uncentred_svd_rebuilds_the_gram_matrix(shape, dtype):
    z = embeddings(*shape).astype(dtype)
    svd = uncentred_svd(z)
    exact = z.astype(np.float64)
    gram = (svd.left * svd.singular_values**2) @ svd.left.T
    np.testing.assert_allclose(gram, exact @ exact.T, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(svd.left.T @ svd.left, np.eye(svd.left.shape[1]), atol=1e-13)
    assert np.all(np.diff(svd.singular_values) <= 0)
    assert svd.n_features == shape[1]


def test_centred_svd_is_that_of_the_deviations_from_the_mean():
    z = embeddings()
    eigenvalues = np.linalg.eigvalsh(np.cov(z, rowvar=False))[::-1]
    np.testing.assert_allclose(centred_svd(z).singular_values ** 2 / 29, eigenvalues, rtol=1e-11)


def test_null_space_is_cut():
    z = embeddings(rank=4)
    assert uncentred_svd(z).left.shape == (30, 4)
    assert centred_svd(z + 5).left.shape == (30, 4)
    assert centred_svd(embeddings(10, 50)).left.shape == (10, 9)


def test_all_zero_embeddings_have_rank_zero():
    svd = uncentred_svd(np.zeros((6, 3)))
    assert svd.left.shape == (6, 0)
    assert svd.singular_values.shape == (0,)
    assert svd.n_features == 3


@pytest.mark.parametrize("value", [0.1, 0.7, 1e6 / 3, -3.3e-5])
def test_rounding_of_the_mean_is_no_direction(value):
    # 0.1 has no exact mean: without the scale of Z the rounding would pass for a spectrum.
    assert centred_svd(np.full((7, 5), value)).left.shape == (7, 0)


def test_scale_moves_the_cut():
    matrix = np.diag([1.0, 1e-3])
    assert len(thin_svd(matrix).singular_values) == 2
    assert len(thin_svd(matrix, scale=1e13).singular_values) == 1
