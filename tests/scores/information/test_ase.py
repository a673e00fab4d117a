import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import entropy, zscore
from sklearn.neighbors import kneighbors_graph

from tests.scores.information.exact_spectrum import exact_eigenvalues
from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import ase, dse

SIGMA = {"sigma_10": 10, "sigma_sqrtD": "sqrt_dim"}


def data(n=40, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def entropy_of_eigenvalues(graph):
    return entropy(np.abs(np.linalg.eigvals(graph)), base=2)


def clusters(sizes, distance=1e3):
    """Equal embeddings within a cluster, all clusters equally far from each other."""
    return distance * np.eye(len(sizes))[np.repeat(np.arange(len(sizes)), sizes)]


# 1. closed forms


@pytest.mark.parametrize("n", [1, 2, 8, 31])
@pytest.mark.parametrize("graph", ["gaussian", "anisotropic"])
def test_distant_images_give_log2_n(n, graph):
    value = ase(embeddings=1e3 * np.eye(n), graph=graph)
    assert value == pytest.approx(np.log2(n), abs=1e-12)


@pytest.mark.parametrize("sizes", [(10,), (5, 5), (8, 2), (1, 3, 6), (4, 4, 4, 4)])
def test_distant_clusters_give_the_entropy_of_their_sizes(sizes):
    # Blocks of ones have one eigenvalue each, their size; DSE does not see the sizes.
    value = ase(embeddings=clusters(sizes))
    assert value == pytest.approx(entropy(sizes, base=2), abs=1e-12)
    assert dse(embeddings=clusters(sizes)) == pytest.approx(np.log2(len(sizes)), abs=1e-12)


def test_two_images():
    # G = [[1, g], [g, 1]]: eigenvalues 1 + g and 1 − g.
    g = np.exp(-0.7 / (2 * 1.3**2))
    value = ase(embeddings=np.array([[0.0], [np.sqrt(0.7)]]), bandwidth=1.3)
    assert value == pytest.approx(entropy([1 + g, 1 - g], base=2), rel=1e-12)


@pytest.mark.parametrize("sizes", [(5, 5), (8, 6, 4), (7, 7, 7)])
def test_neighbours_within_distant_clusters(sizes):
    # Ties at distance 0: all images of a cluster are neighbours, so blocks of ones again.
    value = ase(embeddings=clusters(sizes), graph="knn", k=3)
    assert value == pytest.approx(entropy(sizes, base=2), abs=1e-9)


@pytest.mark.parametrize("n", [3, 4, 20])
def test_neighbours_on_a_line(n):
    # Of 0, 1, 3, 7, 15 … the nearest of each is the one before. A = I plus these links has the
    # eigenvalues 0 and 2 of the first pair, and 1 of each other image, with one eigenvector.
    z = (2.0 ** np.arange(n) - 1)[np.random.default_rng(n).permutation(n), None]
    value = ase(embeddings=z, graph="knn", k=2)
    assert value == pytest.approx(entropy([2] + [1] * (n - 2), base=2), rel=1e-12)


# 2. independent values


@pytest.mark.parametrize("sigma", SIGMA)
@pytest.mark.parametrize("graph", ["gaussian", "anisotropic"])
def test_equals_the_official_code(reference_embeddings, parity, case, sigma, graph):
    z = reference_embeddings(case).embeddings
    value = ase(embeddings=z, graph=graph, bandwidth=SIGMA[sigma])
    parity.embeddings(case, f"ase_{graph}/{sigma}", value)


def test_neighbours_equal_the_official_code(reference_embeddings, parity, case):
    z = reference_embeddings(case).embeddings
    parity.embeddings(case, "ase_knn/k10", ase(embeddings=z, graph="knn"), rel=1e-9)


@pytest.mark.parametrize(
    ("graph", "options"),
    [("gaussian", {}), ("anisotropic", {"anisotropic": True}), ("knn", {"use_knn": True})],
)
def test_equals_the_installed_official_package(parity, graph, options):
    official = pytest.importorskip("dse_dsmi", reason="the extra 'oracles' is not installed")
    z = data(60, 5, seed=2)
    value = official.adjacency_spectral_entropy(z, gaussian_kernel_sigma=1.3, knn=7, **options)
    ours = ase(embeddings=z, bandwidth=1.3, graph=graph, k=7)
    metric = f"adjacency_spectral_entropy, {graph}"
    parity.compare(metric, "dse-dsmi 1.1", "normal 60 × 5", ours, value, 1e-9)


@pytest.mark.parametrize("bandwidth", [0.3, 4])
def test_gaussian_equals_the_slow_definition(bandwidth):
    z = data()
    graph = np.exp(-(cdist(z, z) ** 2) / (2 * bandwidth**2))
    value = ase(embeddings=z, bandwidth=bandwidth)
    assert value == pytest.approx(entropy_of_eigenvalues(graph), rel=1e-9)


@pytest.mark.parametrize("k", [2, 5, 12])
def test_neighbours_are_those_of_scikit_learn(k):
    z = data()
    graph = kneighbors_graph(z, k, include_self=True).toarray()
    value = ase(embeddings=z, graph="knn", k=k)
    assert value == pytest.approx(entropy_of_eigenvalues(graph), rel=1e-9)


@pytest.mark.parametrize(("n", "k", "seed"), [(25, 5, 1411), (25, 5, 1417), (15, 3, 0)])
def test_repeated_eigenvalues_are_exact_in_any_order(n, k, seed):
    z = data(n, 1, seed)
    graph = kneighbors_graph(z, k, include_self=True).toarray()
    exact = entropy(exact_eigenvalues(graph), base=2)
    for order in (np.arange(n), np.arange(n)[::-1]):
        value = ase(embeddings=z[order], graph="knn", k=k)
        assert value == pytest.approx(exact, rel=1e-9)
    if n == 25:  # a defective zero, of which general solvers make a root of the rounding error
        assert np.linalg.matrix_rank(graph @ graph) < np.linalg.matrix_rank(graph)


def test_anisotropic_is_dse_in_every_option():
    z = data()
    for options in ({}, {"bandwidth": "median", "features": "l2"}, {"features": "zscore"}):
        assert ase(embeddings=z, graph="anisotropic", **options) == dse(embeddings=z, **options)


def test_features_are_those_of_dse():
    z = data() * [1, 10, 0.1, 1, 1]
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    value = ase(embeddings=z, features="l2", bandwidth=0.5)
    assert value == pytest.approx(ase(embeddings=unit, bandwidth=0.5), rel=1e-9)
    value = ase(embeddings=z, features="zscore", graph="knn")
    assert value == pytest.approx(ase(embeddings=zscore(z), graph="knn"), rel=1e-9)
    # Neighbours take no σ, so unit length goes with every bandwidth.
    value = ase(embeddings=z, features="l2", graph="knn")
    assert value == pytest.approx(ase(embeddings=unit, graph="knn"), rel=1e-9)


# 3. symmetries


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), graph=st.sampled_from(["gaussian", "anisotropic", "knn"]))
def test_unchanged_by_rotation_translation_and_order(seed, graph):
    rng = np.random.default_rng(seed)
    z = data(15, 4, seed)
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    moved = (z @ rotation + rng.normal(size=4))[rng.permutation(15)]
    value = ase(embeddings=z, graph=graph, k=4)
    assert ase(embeddings=moved, graph=graph, k=4) == pytest.approx(value, rel=1e-9)
    assert 0 <= value <= np.log2(15) + 1e-12


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-40, 40))
def test_neighbours_and_the_median_bandwidth_follow_the_scale(seed, exponent):
    z = data(15, 4, seed)
    for options in ({"graph": "knn", "k": 4}, {"bandwidth": "median"}):
        value = ase(embeddings=z, **options)
        assert ase(embeddings=z * 2.0**exponent, **options) == pytest.approx(value, rel=1e-9)


# 4. errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"graph": "cosine"}, "'gaussian', 'anisotropic' or 'knn', but is 'cosine'"),
        ({"graph": "knn", "k": 1}, "must be ≥ 2, but is 1"),
        ({"bandwidth": -1}, "positive number, but is -1"),
        ({"features": "l1"}, "but is 'l1'"),
        ({"features": "l2"}, r"'sqrt_dim', here 1\.73, says nothing"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InputError, match=message):
        ase(embeddings=np.ones((4, 3)), **options)


@pytest.mark.parametrize("n", [3, 10])
def test_a_complete_graph_is_undefined(n):
    with pytest.raises(ScoreUndefinedError, match=rf"Of 10 nearest .* graphs of {n} images"):
        ase(embeddings=data(n, 3), graph="knn")


def test_median_of_equal_images_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="between the 4 images is 0"):
        ase(embeddings=np.zeros((4, 3)), bandwidth="median")


def test_l2_of_a_zero_embedding_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but 4 of 4 are zero"):
        ase(embeddings=np.zeros((4, 3)), features="l2", bandwidth=1)
