import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import effective_rank, nesum, participation_ratio

# 1. closed forms


@pytest.mark.parametrize("n", [2, 3, 8])
def test_a_simplex_is_flat(n):
    assert participation_ratio(embeddings=np.eye(n)) == pytest.approx(n - 1, rel=1e-12)


def test_four_to_one():
    # Variances 4 : 1, so 5² / (4² + 1²).
    z = np.array([[2.0, 0], [-2, 0], [0, 1], [0, -1]])
    assert participation_ratio(embeddings=z) == pytest.approx(25 / 17, rel=1e-12)


# 2. independent values


def test_equals_scikit_dimension(reference_embeddings, parity, case):
    z = reference_embeddings(case).embeddings
    parity.embeddings(case, "participation_ratio/skdim", participation_ratio(embeddings=z))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(20, 9), (9, 20), (9, 9), (20, 1)])
def test_needs_no_eigenvalues(dtype, shape):
    # tr(Σ)² / ‖Σ‖² with the d × d covariance.
    z = (np.random.default_rng(0).normal(size=shape) + 3).astype(dtype)
    covariance = np.atleast_2d(np.cov(z.astype(np.float64), rowvar=False))
    ratio = np.trace(covariance) ** 2 / np.sum(covariance**2)
    assert participation_ratio(embeddings=z) == pytest.approx(ratio, rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-30, 30), n=st.integers(2, 12))
def test_unchanged_by_scale_rotation_order_and_shift(seed, exponent, n):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 6))
    moved = z @ np.linalg.qr(rng.normal(size=(6, 6)))[0] + rng.normal(size=6)
    moved = 2.0**exponent * moved[rng.permutation(n)]
    value = participation_ratio(embeddings=z)
    assert participation_ratio(embeddings=moved) == pytest.approx(value, rel=1e-9)
    assert 1 <= value <= min(n - 1, 6) + 1e-12


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 12))
def test_between_nesum_and_the_effective_rank(seed, n):
    z = np.random.default_rng(seed).normal(size=(n, 6))
    entropy = effective_rank(embeddings=z, centred=True, spectrum="variances")
    value = participation_ratio(embeddings=z)
    assert nesum(embeddings=z) <= value * (1 + 1e-12)
    assert value <= entropy * (1 + 1e-12)


# 4. errors


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_embeddings_are_undefined(value):
    with pytest.raises(ScoreUndefinedError, match=r"participation ratio .* but all 6 are equal"):
        participation_ratio(embeddings=np.full((6, 3), value))
