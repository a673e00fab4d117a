import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import nesum

# 1. closed forms


@pytest.mark.parametrize("n", [2, 3, 8])
def test_a_simplex_is_whitened(n):
    assert nesum(embeddings=np.eye(n)) == pytest.approx(n - 1, rel=1e-12)


def test_four_to_one():
    z = np.array([[2.0, 0], [-2, 0], [0, 1], [0, -1]])
    assert nesum(embeddings=z) == pytest.approx(1.25, rel=1e-12)


# 2. independent values


def test_is_the_stable_rank_of_centred_embeddings(reference_embeddings, parity, case):
    z = reference_embeddings(case).embeddings
    parity.embeddings(case, "stable_rank/centred", nesum(embeddings=z))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(20, 9), (9, 20), (9, 9), (20, 1)])
def test_equals_the_eigenvalues_of_numpys_covariance(dtype, shape):
    z = (np.random.default_rng(0).normal(size=shape) + 3).astype(dtype)
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(z.astype(np.float64), rowvar=False)))
    assert nesum(embeddings=z) == pytest.approx(values.sum() / values[-1], rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-30, 30), n=st.integers(2, 12))
def test_unchanged_by_scale_rotation_order_and_shift(seed, exponent, n):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 6))
    moved = z @ np.linalg.qr(rng.normal(size=(6, 6)))[0] + rng.normal(size=6)
    moved = 2.0**exponent * moved[rng.permutation(n)]
    value = nesum(embeddings=z)
    assert nesum(embeddings=moved) == pytest.approx(value, rel=1e-9)
    assert 1 <= value <= min(n - 1, 6) + 1e-12


# 4. errors


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_embeddings_are_undefined(value):
    with pytest.raises(ScoreUndefinedError, match=r"NESum needs .* but all 6 are equal"):
        nesum(embeddings=np.full((6, 3), value))
