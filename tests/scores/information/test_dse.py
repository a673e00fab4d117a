import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import entropy

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import dse


def embeddings(n=40, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def slow_dse(z, sigma, t=1):
    """The definition, with the random walk Δ⁻¹G itself and dense diagonal matrices."""
    kernel = np.exp(-(cdist(z, z) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    walk = np.diag(1 / kernel.sum(axis=1)) @ kernel
    return entropy(np.abs(np.linalg.eigvals(walk)) ** t, base=2)


# 1. closed forms


@pytest.mark.parametrize("n", [1, 2, 8, 31])
def test_distant_images_give_log2_n(n):
    assert dse(1e5 * (1 - np.eye(n)), 4) == pytest.approx(np.log2(n), abs=1e-12)


def test_equal_images_give_zero():
    assert dse(np.zeros((20, 20)), 4) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("sizes", [(5, 5), (8, 2), (1, 3, 6), (4, 4, 4, 4)])
def test_k_distant_clusters_give_log2_k_whatever_their_sizes(sizes):
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    distances = 1e5 * (cluster[:, None] != cluster)
    assert dse(distances, 4) == pytest.approx(np.log2(len(sizes)), abs=1e-12)


@pytest.mark.parametrize("bandwidth", [0.5, 1, 3.0])
@pytest.mark.parametrize("t", [1, 2, 0.5])
def test_two_images(bandwidth, t):
    # K = [[1, g], [g, 1]] / (1 + g): eigenvalues 1 and (1 − g) / (1 + g).
    g = np.exp(-0.7 / (2 * bandwidth**2))
    powers = np.array([1, (1 - g) / (1 + g)]) ** t
    distances = np.array([[0, 0.7], [0.7, 0]])
    assert dse(distances, 9, bandwidth=bandwidth, t=t) == pytest.approx(
        entropy(powers, base=2), rel=1e-12
    )


# 2. independent values


@pytest.mark.parametrize("t", [1, 2])
def test_sigma_10_equals_the_official_code(reference_embeddings, expected, case, t):
    z = reference_embeddings(case).embeddings
    value = expected(case, f"dse/sigma_10/t{t}")
    assert dse(embeddings=z, bandwidth=10.0, t=t) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("t", [1, 2])
def test_default_sigma_equals_the_official_code(reference_embeddings, expected, case, t):
    z = reference_embeddings(case).embeddings
    assert dse(embeddings=z, t=t) == pytest.approx(
        expected(case, f"dse/sigma_sqrtD/t{t}"), rel=1e-9
    )


def test_equals_the_installed_official_package():
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z = embeddings(60, 5, seed=2)
    value = official.diffusion_spectral_entropy(z, gaussian_kernel_sigma=1.3, t=3)
    assert dse(embeddings=z, bandwidth=1.3, t=3) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("bandwidth", [0.3, 1.0, 4])
@pytest.mark.parametrize("t", [1, 2.5])
def test_equals_the_slow_definition(bandwidth, t):
    z = embeddings()
    assert dse(embeddings=z, bandwidth=bandwidth, t=t) == pytest.approx(
        slow_dse(z, bandwidth, t), rel=1e-9
    )


def test_named_bandwidths_are_what_they_say():
    z = embeddings(n=25, d=6)
    pairs = cdist(z, z)[np.triu_indices(25, 1)] ** 2
    assert dse(embeddings=z) == dse(embeddings=z, bandwidth="sqrt_dim")
    assert dse(embeddings=z) == pytest.approx(slow_dse(z, np.sqrt(6)), rel=1e-9)
    assert dse(embeddings=z, bandwidth="median") == pytest.approx(
        slow_dse(z, np.sqrt(np.median(pairs) / 2)), rel=1e-9
    )


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1))
def test_unchanged_by_rotation_translation_and_order(seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(15, 4))
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    moved = (z @ rotation + rng.normal(size=4))[rng.permutation(15)]
    assert dse(embeddings=moved) == pytest.approx(dse(embeddings=z), rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-30, 30))
def test_median_bandwidth_follows_the_scale(seed, exponent):
    z = embeddings(15, 4, seed)
    value = dse(embeddings=z, bandwidth="median")
    assert dse(embeddings=z * 2.0**exponent, bandwidth="median") == pytest.approx(value, rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3))
def test_within_zero_and_log2_n(seed, scale):
    value = dse(embeddings=embeddings(12, 3, seed) * scale)
    assert -1e-12 <= value <= np.log2(12) + 1e-12


def test_more_steps_fade_small_eigenvalues():
    z = embeddings()
    assert dse(embeddings=z, t=1) > dse(embeddings=z, t=2) > dse(embeddings=z, t=8)


# 4. errors


@pytest.mark.parametrize("bandwidth", ["sqrt", "", 0, -1.0, np.inf, np.nan, True, 1e-200])
def test_other_bandwidths_are_refused(bandwidth):
    with pytest.raises(InputError, match=rf"positive number, but is {bandwidth!r}"):
        dse(np.zeros((2, 2)), 3, bandwidth=bandwidth)


@pytest.mark.parametrize("t", [0, -1, np.inf, np.nan])
def test_t_must_be_positive(t):
    with pytest.raises(InputError, match=f"must be positive, but is {t}"):
        dse(np.zeros((2, 2)), 3, t=t)


def test_median_of_equal_images_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="between the 4 images is 0"):
        dse(np.zeros((4, 4)), 3, bandwidth="median")


def test_median_of_one_image_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="between the 1 images is 0"):
        dse(np.zeros((1, 1)), 3, bandwidth="median")
