import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from zoo_eval.errors import InputError
from zoo_eval.scores import cse


def data(n=40, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def slow_cse(z, bins):
    """The definition: NumPy's histogram of each feature, and rows compared as wholes."""
    cells = np.stack([np.digitize(x, np.histogram_bin_edges(x, bins)[1:-1]) for x in z.T], axis=1)
    return entropy(np.unique(cells, axis=0, return_counts=True)[1], base=2)


# 1. closed forms


@pytest.mark.parametrize("counts", [(1, 1), (3, 5), (1, 2, 5), (4, 0, 0, 4)])
def test_one_feature_with_known_counts(counts):
    values = np.repeat(np.arange(len(counts)), counts)
    value = cse(values[:, None].astype(np.float64), bins=len(counts))
    assert value == pytest.approx(entropy(counts, base=2), rel=1e-12)


@pytest.mark.parametrize(("d", "bins"), [(1, 7), (2, 3), (5, 2)])
def test_a_full_grid_gives_d_log2_bins(d, bins):
    grid = np.stack(np.meshgrid(*[np.arange(bins) + 0.3] * d), axis=-1).reshape(-1, d)
    assert cse(grid, bins=bins) == pytest.approx(d * np.log2(bins), rel=1e-12)


def test_an_inner_edge_belongs_to_the_part_above_and_the_maximum_to_the_last():
    value = cse(np.array([[0.0], [0.25], [0.5], [0.75], [1.0]]))
    assert value == pytest.approx(entropy([2, 3], base=2), rel=1e-12)


@pytest.mark.parametrize("n", [1, 6])
def test_equal_images_give_zero(n):
    assert cse(np.full((n, 4), 0.1)) == 0


@pytest.mark.parametrize("scale", [1e-320, 1e-30, 1e300])
def test_any_range_is_cut_in_two(scale):
    z = np.array([[0.0, 5], [0.1, 5], [0.9, 5], [1.0, 5]]) * scale
    assert cse(z) == 1


# 2. independent values


@pytest.mark.parametrize(
    ("metric", "features", "bins"),
    [("cse/bins2", None, 2), ("cse/bins2/first6", 6, 2), ("cse/bins5/first3", 3, 5)],
)
def test_equals_the_official_code(reference_embeddings, parity, case, metric, features, bins):
    z = reference_embeddings(case).embeddings[:, :features]
    parity.embeddings(case, metric, cse(z, bins=bins))


@pytest.mark.parametrize("bins", [2, 3, 7])
def test_equals_the_installed_official_package(parity, bins):
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z = data(90, 3, seed=5)
    value = official.diffusion_spectral_entropy(
        z, classic_shannon_entropy=True, num_bins_per_dim=bins
    )
    metric = f"diffusion_spectral_entropy, {bins} bins"
    parity.compare(metric, "dse-dsmi 1.1", "normal 90 × 3", cse(z, bins=bins), value, 1e-9)


@pytest.mark.parametrize("bins", [2, 3, 10, 300])
@pytest.mark.parametrize("d", [1, 4])
def test_equals_the_slow_definition(bins, d):
    z = data(60, d, seed=bins)
    assert cse(z, bins=bins) == pytest.approx(slow_cse(z, bins), rel=1e-12)


def test_many_features_give_log2_n_for_every_model():
    # 22 independent features: 2^22 cells for 200 images, of which two share one rarely.
    values = {round(cse(data(200, 22, seed)), 1) for seed in range(5)}
    assert values == {round(np.log2(200), 1)}


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), bins=st.integers(2, 6), exponent=st.integers(-40, 40))
def test_unchanged_by_order_and_by_scale_of_a_feature(seed, bins, exponent):
    rng = np.random.default_rng(seed)
    z = data(20, 3, seed)
    value = cse(z, bins=bins)
    moved = z[rng.permutation(20)][:, rng.permutation(3)] * 2.0**exponent
    assert cse(moved, bins=bins) == pytest.approx(value, abs=1e-12)
    assert 0 <= value <= min(np.log2(20), 3 * np.log2(bins)) + 1e-12


def test_unchanged_by_translation_but_not_by_rotation():
    z = data(50, 2, seed=3)
    assert cse(z + np.array([3.0, -40.0])) == pytest.approx(cse(z), abs=1e-12)
    turned = z @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    assert cse(turned) != pytest.approx(cse(z), abs=1e-3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_other_types_are_binned_in_double_precision_and_left_alone(dtype):
    z = data().astype(dtype)
    before = z.copy()
    assert cse(z, bins=5) == cse(z.astype(np.float64), bins=5)
    np.testing.assert_array_equal(z, before)


# 4. errors


@pytest.mark.parametrize("bins", [1, 0, -3])
def test_two_bins_are_needed(bins):
    with pytest.raises(InputError, match=f"must be ≥ 2, but is {bins}"):
        cse(data(), bins=bins)
