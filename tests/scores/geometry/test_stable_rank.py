import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import nesum, stable_rank

# 1. closed forms


@pytest.mark.parametrize("d", [1, 2, 7])
def test_flat_spectrum_uses_every_dimension(d):
    assert stable_rank(embeddings=3 * np.eye(10)[:, :d]) == pytest.approx(d, rel=1e-12)


def test_three_to_one():
    assert stable_rank(embeddings=np.diag([3.0, 1.0])) == pytest.approx(10 / 9, rel=1e-12)


def test_centring_takes_a_dimension_off():
    assert stable_rank(embeddings=np.eye(6), centred=True) == pytest.approx(5, rel=1e-12)


# 2. independent values


def test_equals_the_definition(reference_embeddings, parity, case):
    z = reference_embeddings(case).embeddings
    parity.embeddings(case, "stable_rank/uncentred", stable_rank(embeddings=z))
    parity.embeddings(case, "stable_rank/centred", stable_rank(embeddings=z, centred=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(20, 9), (9, 20), (9, 9), (20, 1)])
def test_equals_the_ratio_of_numpys_norms(dtype, shape):
    z = (np.random.default_rng(0).normal(size=shape) + 3).astype(dtype)
    exact = z.astype(np.float64)
    for centred in (False, True):
        x = exact - centred * exact.mean(axis=0)
        ratio = (np.linalg.norm(x) / np.linalg.norm(x, 2)) ** 2
        assert stable_rank(embeddings=z, centred=centred) == pytest.approx(ratio, rel=1e-9)
    assert stable_rank(embeddings=z, centred=True) == pytest.approx(nesum(embeddings=z), rel=1e-9)


# 3. symmetries


@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.integers(-30, 30),
    n=st.integers(2, 12),
    centred=st.booleans(),
)
def test_unchanged_by_scale_rotation_order_and_shift(seed, exponent, n, centred):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 6))
    moved = z @ np.linalg.qr(rng.normal(size=(6, 6)))[0] + centred * rng.normal(size=6)
    moved = 2.0**exponent * moved[rng.permutation(n)]
    value = stable_rank(embeddings=z, centred=centred)
    assert stable_rank(embeddings=moved, centred=centred) == pytest.approx(value, rel=1e-9)
    assert 1 <= value <= min(n - centred, 6) + 1e-12


# 4. errors


@pytest.mark.parametrize("centred", [False, True])
def test_zero_embeddings_are_undefined(centred):
    with pytest.raises(ScoreUndefinedError, match="but all 7 are zero"):
        stable_rank(embeddings=np.zeros((7, 3)), centred=centred)


def test_equal_embeddings_have_no_centred_rank():
    with pytest.raises(ScoreUndefinedError, match=r"centred embeddings needs .* all 6 are equal"):
        stable_rank(embeddings=np.full((6, 3), 0.1), centred=True)
