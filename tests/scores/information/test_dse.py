import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import entropy, zscore
from sklearn.preprocessing import normalize

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities import distances
from zoo_eval.quantities.distances import ImageDistances
from zoo_eval.scores import Estimate, ase, dse

# The package has the score under this name.
module = importlib.import_module("zoo_eval.scores.information.dse")
SIGMA = {"sigma_10": 10, "sigma_sqrtD": "sqrt_dim"}


def data(n=40, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def slow_kernel(z, sigma):
    return np.exp(-(cdist(z, z) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))


def slow_dse(z, sigma, t=1):
    """The definition, with the random walk Δ⁻¹G itself and dense diagonal matrices."""
    kernel = slow_kernel(z, sigma)
    walk = np.diag(1 / kernel.sum(axis=1)) @ kernel
    return entropy(np.abs(np.linalg.eigvals(walk)) ** t, base=2)


def slow_matrix_entry(z, sigma):
    """The definition, with dense diagonal matrices: K, then P, then all its entries."""
    kernel = slow_kernel(z, sigma)
    root = np.diag(1 / np.sqrt(kernel.sum(axis=1)))
    once = root @ kernel @ root
    return entropy((np.diag(1 / once.sum(axis=1)) @ once).ravel(), base=2)


def clusters(sizes, distance=1e3):
    """Equal embeddings within a cluster, all clusters equally far from each other."""
    return distance * np.eye(len(sizes))[np.repeat(np.arange(len(sizes)), sizes)]


# 1. closed forms


@pytest.mark.parametrize("n", [1, 2, 8, 31])
def test_distant_images_give_log2_n(n):
    assert dse(embeddings=1e3 * np.eye(n)) == pytest.approx(np.log2(n), abs=1e-12)


@pytest.mark.parametrize("t", [0.1, 1, 3])
def test_equal_images_give_zero(t):
    # A tenth power would make 0.03 of each eigenvalue's rounding, 10⁻¹⁶.
    assert dse(embeddings=np.full((20, 4), 0.1), t=t) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("sizes", [(5, 5), (8, 2), (1, 3, 6), (4, 4, 4, 4)])
def test_k_distant_clusters_give_log2_k_whatever_their_sizes(sizes):
    assert dse(embeddings=clusters(sizes)) == pytest.approx(np.log2(len(sizes)), abs=1e-12)


@pytest.mark.parametrize("bandwidth", [0.5, 1, 3.0])
@pytest.mark.parametrize("t", [1, 2, 0.5])
def test_two_images(bandwidth, t):
    # K = [[1, g], [g, 1]] / (1 + g): eigenvalues 1 and (1 − g) / (1 + g).
    g = np.exp(-0.7 / (2 * bandwidth**2))
    powers = np.array([1, (1 - g) / (1 + g)]) ** t
    z = np.array([[0], [np.sqrt(0.7)]])
    assert dse(embeddings=z, bandwidth=bandwidth, t=t) == pytest.approx(
        entropy(powers, base=2), rel=1e-12
    )


@pytest.mark.parametrize("sizes", [(5, 5), (8, 2), (10,), (1, 1, 1)])
def test_matrix_entries_of_distant_clusters_are_uniform_within_each(sizes):
    # A row of P has n_k entries 1 / n_k: log₂ n + Σ_k (n_k / n) log₂ n_k.
    sizes, n = np.array(sizes), sum(sizes)
    value = dse(embeddings=clusters(sizes), entropy="matrix_entry")
    assert value == pytest.approx(np.log2(n) + sizes @ np.log2(sizes) / n, rel=1e-12)


# 2. independent values


@pytest.mark.parametrize("sigma", SIGMA)
@pytest.mark.parametrize("t", [1, 2])
def test_equals_the_official_code(reference_embeddings, parity, case, sigma, t):
    z = reference_embeddings(case).embeddings
    value = dse(embeddings=z, bandwidth=SIGMA[sigma], t=t)
    parity.embeddings(case, f"dse/{sigma}/t{t}", value)


@pytest.mark.parametrize("sigma", SIGMA)
def test_matrix_entry_equals_the_official_code(reference_embeddings, parity, case, sigma):
    z = reference_embeddings(case).embeddings
    value = dse(embeddings=z, bandwidth=SIGMA[sigma], entropy="matrix_entry")
    parity.embeddings(case, f"dse_matrix_entry/{sigma}", value)


@pytest.mark.parametrize("options", [{"t": 3}, {"t": 1}])
def test_equals_the_installed_official_package(parity, options):
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z = data(60, 5, seed=2)
    value = official.diffusion_spectral_entropy(z, gaussian_kernel_sigma=1.3, **options)
    ours = dse(embeddings=z, bandwidth=1.3, **options)
    parity.compare("diffusion_spectral_entropy", "dse-dsmi 1.1", "normal 60 × 5", ours, value, 1e-9)


def test_the_official_matrix_entry_ignores_t():
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z = data(20, 3)
    values = {
        official.diffusion_spectral_entropy(
            z, gaussian_kernel_sigma=1.3, t=t, matrix_entry_entropy=True
        )
        for t in (1, 2)
    }
    assert len(values) == 1
    assert dse(embeddings=z, bandwidth=1.3, entropy="matrix_entry") == pytest.approx(
        values.pop(), rel=1e-9
    )


@pytest.mark.parametrize("bandwidth", [0.3, 1.0, 4])
@pytest.mark.parametrize("t", [1, 2.5])
def test_equals_the_slow_definition(bandwidth, t):
    z = data()
    assert dse(embeddings=z, bandwidth=bandwidth, t=t) == pytest.approx(
        slow_dse(z, bandwidth, t), rel=1e-9
    )


@pytest.mark.parametrize("bandwidth", [0.3, 1.0, 4])
def test_matrix_entry_equals_the_slow_definition(bandwidth):
    z = data()
    assert dse(embeddings=z, bandwidth=bandwidth, entropy="matrix_entry") == pytest.approx(
        slow_matrix_entry(z, bandwidth), rel=1e-9
    )


def test_named_bandwidths_are_what_they_say():
    z = data(n=25, d=6)
    pairs = cdist(z, z)[np.triu_indices(25, 1)] ** 2
    assert dse(embeddings=z) == pytest.approx(slow_dse(z, np.sqrt(6)), rel=1e-9)
    assert dse(embeddings=z, bandwidth="median") == pytest.approx(
        slow_dse(z, np.sqrt(np.median(pairs) / 2)), rel=1e-9
    )


@pytest.mark.parametrize("bandwidth", ["sqrt_dim", "median", 1.5])
@pytest.mark.parametrize("entropy", ["spectral", "matrix_entry"])
def test_zscore_is_that_of_scipy(bandwidth, entropy):
    z = data() * [1, 1e-3, 1e5, 1, 1e-170, 1] + [40, 0.04, 4e6, 40, 0, 40]
    by_hand = zscore(data(), axis=0)
    z[:, 3] = 0.1  # constant, but its mean over 40 images is off by rounding
    by_hand[:, 3] = 0
    options = {"bandwidth": bandwidth, "entropy": entropy}
    assert dse(embeddings=z, features="zscore", **options) == pytest.approx(
        dse(embeddings=by_hand, **options), rel=1e-9
    )


@pytest.mark.parametrize("bandwidth", ["median", 0.4])
@pytest.mark.parametrize("entropy", ["spectral", "matrix_entry"])
def test_l2_is_that_of_scikit_learn(bandwidth, entropy):
    z = data()
    lengths = np.logspace(-170, 5, 40)[:, None]
    options = {"bandwidth": bandwidth, "entropy": entropy}
    assert dse(embeddings=z * lengths, features="l2", **options) == pytest.approx(
        dse(embeddings=normalize(z), **options), rel=1e-9
    )


# 3. symmetries

OPTIONS = [
    {},
    {"bandwidth": "median", "features": "l2"},
    {"features": "zscore"},
    {"entropy": "matrix_entry"},
]


@given(seed=st.integers(0, 2**32 - 1), options=st.sampled_from(OPTIONS))
def test_unchanged_by_order(seed, options):
    z = data(15, 4, seed)
    order = np.random.default_rng(seed).permutation(15)
    value = dse(embeddings=z, **options)
    assert dse(embeddings=z[order], **options) == pytest.approx(value, rel=1e-9)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), entropy=st.sampled_from(["spectral", "matrix_entry"]))
def test_unchanged_by_rotation_and_translation(seed, entropy):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(15, 4))
    moved = z @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + rng.normal(size=4)
    assert dse(embeddings=moved, entropy=entropy) == pytest.approx(
        dse(embeddings=z, entropy=entropy), rel=1e-9
    )


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_l2_is_unchanged_by_rotation_and_the_length_of_each_embedding(seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(15, 4))
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    moved = rng.uniform(1e-3, 1e3, size=(15, 1)) * (z @ rotation)
    options = {"features": "l2", "bandwidth": "median"}
    assert dse(embeddings=moved, **options) == pytest.approx(dse(embeddings=z, **options), rel=1e-9)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_zscore_is_unchanged_by_scale_and_shift_of_each_feature(seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(15, 4))
    moved = z * rng.uniform(-1e3, 1e3, size=4) + rng.normal(size=4)
    assert dse(embeddings=moved, features="zscore") == pytest.approx(
        dse(embeddings=z, features="zscore"), rel=1e-9
    )


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-30, 30))
def test_median_bandwidth_follows_the_scale(seed, exponent):
    z = data(15, 4, seed)
    value = dse(embeddings=z, bandwidth="median")
    assert dse(embeddings=z * 2.0**exponent, bandwidth="median") == pytest.approx(value, rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3))
def test_between_the_values_of_equal_and_of_distant_images(seed, scale):
    z = data(12, 3, seed) * scale
    assert 0 <= dse(embeddings=z) <= np.log2(12) + 1e-12
    entries = dse(embeddings=z, entropy="matrix_entry")
    assert np.log2(12) - 1e-12 <= entries <= 2 * np.log2(12) + 1e-12


def test_more_steps_fade_small_eigenvalues():
    z = data()
    assert dse(embeddings=z, t=1) > dse(embeddings=z, t=2) > dse(embeddings=z, t=8)


@pytest.mark.parametrize("features", ["raw", "zscore", "l2"])
def test_the_embeddings_are_left_alone(features):
    z = data(10, 3)
    before = z.copy()
    dse(embeddings=z, features=features, bandwidth="median")
    np.testing.assert_array_equal(z, before)


# 4. of many images; the tests of the estimate itself are in test_spectral_entropy.py


@pytest.fixture
def many(monkeypatch):
    """800 images are many."""
    monkeypatch.setattr(module, "_EXACT_UP_TO", 799)
    monkeypatch.setattr(distances, "MATRIX_UP_TO", 799)
    return data(800, 20, seed=3) * np.linspace(0.5, 3, 20)


@pytest.mark.parametrize("options", [*OPTIONS[:3], {"t": 2}, {"bandwidth": "median"}])
def test_many_images_give_an_estimate_of_the_same_number_without_a_matrix(
    many, monkeypatch, options
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_EXACT_UP_TO", 800)
        value = dse(embeddings=many, **options)
        assert not isinstance(value, Estimate)
    monkeypatch.setattr(ImageDistances, "matrix", property(lambda _: pytest.fail("n² made")))
    estimate = dse(embeddings=many, **options)
    assert isinstance(estimate, Estimate)
    assert estimate.low < estimate < estimate.high
    assert estimate == pytest.approx(value, abs=2e-3)


def test_one_image_fewer_is_exact(many):
    assert not isinstance(dse(embeddings=many[:799]), Estimate)


@pytest.mark.parametrize("options", [{"t": 0.5}, {"entropy": "matrix_entry"}])
def test_what_cannot_be_estimated_is_exact(many, monkeypatch, options):
    value = dse(embeddings=many, **options)
    assert not isinstance(value, Estimate)
    monkeypatch.setattr(module, "_EXACT_UP_TO", 800)
    assert dse(embeddings=many, **options) == value


@pytest.mark.parametrize("options", [{"entropy": "shannon"}, {"t": 2, "entropy": "matrix_entry"}])
def test_options_are_refused_before_many_distances_are_computed(many, monkeypatch, options):
    monkeypatch.setattr(ImageDistances, "matrix", property(lambda _: pytest.fail("n² made")))
    with pytest.raises(InputError, match="matrix_entry"):
        dse(embeddings=many, **options)


def test_ase_has_the_exact_value_of_many_images(many):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_EXACT_UP_TO", 800)
        value = dse(embeddings=many)
    assert ase(embeddings=many, graph="anisotropic") == pytest.approx(value, rel=1e-12)


def test_by_position_it_takes_distances():
    z = data()
    assert dse(ImageDistances(z)) == dse(embeddings=z) == dse(image_distances=ImageDistances(z))


# 5. errors


@pytest.mark.parametrize("bandwidth", ["sqrt", "", 0, -1.0, np.inf, np.nan, True, 1e-200])
def test_other_bandwidths_are_refused(bandwidth):
    with pytest.raises(InputError, match=rf"positive number, but is {bandwidth!r}"):
        dse(embeddings=np.zeros((2, 3)), bandwidth=bandwidth)


@pytest.mark.parametrize("t", [0, -1, np.inf, np.nan])
def test_t_must_be_positive(t):
    with pytest.raises(InputError, match=f"must be positive, but is {t}"):
        dse(embeddings=np.zeros((2, 3)), t=t)


def test_matrix_entry_knows_no_t():
    with pytest.raises(InputError, match="knows no t, but t is 2"):
        dse(embeddings=np.zeros((2, 3)), t=2, entropy="matrix_entry")


@pytest.mark.parametrize("option", ["features", "entropy"])
def test_other_names_are_refused(option):
    with pytest.raises(InputError, match=rf"{option} must be '.*', but is 'z-score'"):
        dse(embeddings=np.zeros((2, 3)), **{option: "z-score"})


def test_sqrt_dim_means_nothing_on_the_unit_sphere():
    with pytest.raises(InputError, match=r"here 1\.73, says nothing with features='l2'"):
        dse(embeddings=np.ones((2, 3)), features="l2")
    # What the refusal saves from: two opposite directions look equal at d = 2048.
    z = np.vstack([np.eye(1, 2048), -np.eye(1, 2048)])
    assert dse(embeddings=z, features="l2", bandwidth=2048**0.5) < 0.01


def test_l2_of_a_zero_embedding_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but 2 of 3 are zero"):
        dse(embeddings=np.diag([1.0, 0, 0]), features="l2", bandwidth=1)


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("features", ["raw", "zscore"])
def test_median_of_equal_images_is_undefined(n, features):
    with pytest.raises(ScoreUndefinedError, match=f"between the {n} images is 0"):
        dse(embeddings=np.full((n, 3), 0.1), bandwidth="median", features=features)
