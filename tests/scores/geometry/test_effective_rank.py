import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import effective_rank, rankme

# 1. closed forms


@pytest.mark.parametrize("d", [1, 2, 7])
def test_flat_spectrum_uses_every_dimension(d):
    assert effective_rank(embeddings=3 * np.eye(10)[:, :d]) == pytest.approx(d, rel=1e-12)


def test_two_to_one():
    # p = (2/3, 1/3): e^H = 3 / 2^(2/3); of the squares p = (4/5, 1/5): e^H = 5 / 4^(4/5).
    z = np.diag([2.0, 1.0])
    assert effective_rank(embeddings=z) == pytest.approx(3 / 2 ** (2 / 3), rel=1e-12)
    value = effective_rank(embeddings=z, spectrum="variances")
    assert value == pytest.approx(5 / 4 ** (4 / 5), rel=1e-12)


def test_centring_takes_a_dimension_off():
    # The simplex of 6 points spans 5 dimensions around its middle.
    assert effective_rank(embeddings=np.eye(6), centred=True) == pytest.approx(5, rel=1e-12)


# 2. independent values


def test_equals_the_definition(reference_embeddings, parity, case):
    z = reference_embeddings(case).embeddings
    parity.embeddings(case, "effective_rank/uncentred", effective_rank(embeddings=z))
    assert effective_rank(embeddings=z) == pytest.approx(rankme(embeddings=z), rel=1e-12)


def test_of_the_covariance_is_what_reptrix_calls_rankme(reference_embeddings, parity, case):
    # 1e-4: reptrix adds 1e-7 to every p.
    z = reference_embeddings(case).embeddings
    value = effective_rank(embeddings=z, centred=True, spectrum="variances")
    parity.embeddings(case, "rankme/reptrix", value, rel=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(20, 9), (9, 20), (9, 9), (20, 1)])
@pytest.mark.parametrize("centred", [False, True])
def test_equals_scipys_entropy(dtype, shape, centred):
    z = (np.random.default_rng(0).normal(size=shape) + 3).astype(dtype)
    exact = z.astype(np.float64)
    values = np.linalg.svd(exact - centred * exact.mean(axis=0), compute_uv=False)
    value = effective_rank(embeddings=z, centred=centred)
    assert value == pytest.approx(np.exp(entropy(values)), rel=1e-9)
    of_variances = effective_rank(embeddings=z, centred=centred, spectrum="variances")
    assert of_variances == pytest.approx(np.exp(entropy(values**2)), rel=1e-9)


def test_centring_keeps_its_digits_under_a_large_mean(reference_embeddings):
    z = reference_embeddings("mean_offset").embeddings
    values = np.linalg.svd(z - z.mean(axis=0), compute_uv=False)
    value = effective_rank(embeddings=z, centred=True)
    assert value == pytest.approx(np.exp(entropy(values)), rel=1e-9)


def test_the_rank_of_centred_embeddings_is_found(reference_embeddings):
    # Rank 14 up to rounding of float32, which 50 singular values of 1e-8 make up.
    z = reference_embeddings("degenerate").embeddings
    assert effective_rank(embeddings=z, centred=True) < 14


# 3. symmetries


@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.integers(-30, 30),
    n=st.integers(2, 12),
    centred=st.booleans(),
    spectrum=st.sampled_from(["singular_values", "variances"]),
)
def test_unchanged_by_scale_rotation_order_and_shift(seed, exponent, n, centred, spectrum):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 6))
    moved = z @ np.linalg.qr(rng.normal(size=(6, 6)))[0] + centred * rng.normal(size=6)
    options = {"centred": centred, "spectrum": spectrum}
    value = effective_rank(embeddings=z, **options)
    moved_value = effective_rank(embeddings=2.0**exponent * moved[rng.permutation(n)], **options)
    assert moved_value == pytest.approx(value, rel=1e-9)
    assert 1 <= value <= min(n - centred, 6) + 1e-12


# 4. errors


@pytest.mark.parametrize("centred", [False, True])
def test_zero_embeddings_are_undefined(centred):
    with pytest.raises(ScoreUndefinedError, match="but all 7 are zero"):
        effective_rank(embeddings=np.zeros((7, 3)), centred=centred)


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (40, 1), (1, 4)])
def test_equal_embeddings_have_no_centred_rank(shape):
    with pytest.raises(ScoreUndefinedError, match=f"vary, but all {shape[0]} are equal"):
        effective_rank(embeddings=np.full(shape, 0.1), centred=True)


def test_unknown_spectrum():
    with pytest.raises(InputError, match="'singular_values' or 'variances', but is 'eigen'"):
        effective_rank(embeddings=np.eye(3), spectrum="eigen")
