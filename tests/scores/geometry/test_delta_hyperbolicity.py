import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import delta_hyperbolicity


def relative_delta(distances, **options):
    return delta_hyperbolicity(distances**2, **options)


def tree_distances(n, seed):
    """Path lengths between the n nodes of a random tree with random edge lengths."""
    rng = np.random.default_rng(seed)
    graph = np.zeros((n, n))
    for node in range(1, n):
        graph[node, rng.integers(node)] = rng.uniform(0.1, 1)
    return shortest_path(graph, directed=False)


def slow_delta(distances, base):
    """The definition, three points after three points."""
    products = (distances[base] + distances[base][:, None] - distances) / 2
    triples = itertools.product(range(len(distances)), repeat=3)
    return max(min(products[x, z], products[z, y]) - products[x, y] for x, y, z in triples)


# 1. closed forms


@pytest.mark.parametrize("base", ["medoid", 0, 5])
def test_a_tree_has_none(base):
    assert relative_delta(tree_distances(20, 0), base=base) == pytest.approx(0, abs=1e-12)


def test_a_ring_of_four_has_all():
    ring = np.array([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0.0]])
    for base in range(4):
        assert relative_delta(ring, base=base) == 1


def test_a_square():
    z = np.array([[0, 0], [0, 3], [3, 3], [3, 0.0]])
    assert delta_hyperbolicity(embeddings=z) == pytest.approx(2 - np.sqrt(2), rel=1e-12)


@pytest.mark.parametrize("z", [np.eye(9), np.arange(9.0)[:, None], np.eye(2)], ids=len)
def test_equally_far_images_and_lines_are_trees(z):
    assert delta_hyperbolicity(embeddings=z) == pytest.approx(0, abs=1e-7)


# 2. independent values


def test_equals_the_official_code(reference_embeddings, parity, case):
    z = reference_embeddings(case).embeddings
    value = delta_hyperbolicity(embeddings=z, base=0)
    parity.embeddings(case, "delta_hyperbolicity/relative", value)
    delta = value * cdist(z, z).max() / 2
    parity.embeddings(case, "delta_hyperbolicity/delta", delta)


def test_the_base_point_matters_by_a_factor_of_two_at_most(reference_embeddings, expected, case):
    z = reference_embeddings(case).embeddings
    first = expected(case, "delta_hyperbolicity/relative")
    assert first / 2 <= delta_hyperbolicity(embeddings=z) <= first * 2


@pytest.mark.parametrize(("n", "base"), [(4, 0), (11, 10), (37, 3)])
def test_equals_the_slow_definition(n, base):
    distances = cdist(*[np.random.default_rng(n).normal(size=(n, 3))] * 2)
    slow = 2 * slow_delta(distances, base) / distances.max()
    assert relative_delta(distances, base=base) == pytest.approx(slow, rel=1e-12)


def test_the_medoid_is_the_base_point():
    distances = cdist(*[np.random.default_rng(1).normal(size=(12, 3))] * 2)
    medoid = int(np.argmin((distances**2).sum(axis=0)))
    assert relative_delta(distances) == relative_delta(distances, base=medoid)


def test_of_more_images_a_sample_is_taken():
    z = np.random.default_rng(0).normal(size=(60, 4))
    whole = delta_hyperbolicity(embeddings=z, base=7)
    sampled = [
        delta_hyperbolicity(embeddings=z, base=7, max_images=20, seed=seed) for seed in (0, 0, 1)
    ]
    assert sampled[0] == sampled[1] != sampled[2]
    # The base point is in the sample, so a sample's δ is never larger (but its diameter smaller).
    diameter = cdist(z, z).max()
    assert max(sampled) * diameter / 2 < whole * diameter
    order = np.random.default_rng(1).permutation(60)
    rest = order[order != 7][:19]
    part = delta_hyperbolicity(embeddings=z[np.append(rest, 7)], base=19)
    assert sampled[2] == pytest.approx(part, rel=1e-9)
    assert delta_hyperbolicity(embeddings=z, base=7, max_images=60) == whole


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), n=st.integers(4, 40))
def test_unchanged_by_rotation_shift_scale_and_order(seed, exponent, n):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 5))
    moved = (z @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + rng.normal(size=5)) * 2.0**exponent
    value = delta_hyperbolicity(embeddings=z)
    assert 0 <= value <= 1
    again = delta_hyperbolicity(embeddings=moved[rng.permutation(n)])
    assert again == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(seed=st.integers(0, 2**32 - 1))
def test_duplicates_change_nothing(seed):
    z = np.random.default_rng(seed).normal(size=(10, 3))
    twice = np.concatenate([z, z[::-1]])
    assert delta_hyperbolicity(embeddings=twice, base=3) == pytest.approx(
        delta_hyperbolicity(embeddings=z, base=3), abs=1e-7
    )  # Gram rounding of 1e-16 is 1e-8 in distances of duplicates


# 4. errors


@pytest.mark.parametrize("base", ["first", -1, 5, True])
def test_wrong_base(base):
    with pytest.raises(InputError, match=rf"an image, 0 … 4, but is {base!r}"):
        delta_hyperbolicity(embeddings=np.eye(5), base=base)


def test_too_small_a_sample():
    with pytest.raises(
        InputError, match="max_images must be ≥ 4, as 3 are always a tree, but is 3"
    ):
        delta_hyperbolicity(embeddings=np.eye(5), max_images=3)


def test_equal_embeddings_are_undefined():
    with pytest.raises(
        ScoreUndefinedError, match="largest distance, but all 6 embeddings are equal"
    ):
        delta_hyperbolicity(embeddings=np.full((6, 3), 0.1))
