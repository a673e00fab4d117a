import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import mle_dimension


def slow_mle_dimension(z, k):
    """Image by image, with differences in place of the Gram matrix."""
    local = []
    for image in z:
        t = np.sort(np.linalg.norm(z - image, axis=1))[1 : k + 1]
        local.append((k - 1) / sum(np.log(t[-1] / t[:-1])))
    return 1 / np.mean(1 / np.array(local))


# 1. closed forms


def test_powers_of_two_have_two_neighbours():
    # Neighbours of 0, 1, 3, 7 on a line: (1, 3), (1, 2), (2, 3), (4, 6).
    z = np.array([[0.0], [1.0], [3.0], [7.0]])
    value = mle_dimension(embeddings=z, k=2)
    assert value == pytest.approx(4 / np.log([3, 2, 1.5, 1.5]).sum(), rel=1e-12)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_near_the_dimension_of_a_cube(d):
    z = np.random.default_rng(d).uniform(size=(800, d)) @ np.eye(d, 20)
    assert mle_dimension(embeddings=z) == pytest.approx(d, rel=0.15)


# 2. independent values


@pytest.mark.parametrize(
    "case", ["balanced_n_gt_d", "n_lt_d", "relu_unbalanced", "mean_offset", "weak_powerlaw"]
)
def test_equals_scikit_dimension(reference_embeddings, parity, case):
    z = reference_embeddings(case).embeddings
    parity.embeddings(case, "mle_id/skdim_k20", mle_dimension(embeddings=z))


def test_scikit_dimension_loses_all_dimensions_to_one_copy(reference_embeddings, expected):
    z = reference_embeddings("degenerate").embeddings
    assert expected("degenerate", "mle_id/skdim_k20") == 0  # ln(T / 0) = ∞ for one pair
    slow = slow_mle_dimension(np.unique(z, axis=0), 20)
    assert mle_dimension(embeddings=z) == pytest.approx(slow, rel=1e-9)
    assert 1 < slow < 14  # the rank of these embeddings


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [2, 5, 29])
def test_equals_the_slow_definition(dtype, k):
    z = np.random.default_rng(k).normal(size=(30, 6)).astype(dtype)
    slow = slow_mle_dimension(z.astype(np.float64), k)
    assert mle_dimension(embeddings=z, k=k) == pytest.approx(slow, rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), n_copies=st.integers(0, 15))
def test_unchanged_by_rotation_shift_scale_order_and_copies(seed, exponent, n_copies):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(15, 4))
    moved = (z @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + rng.normal(size=4)) * 2.0**exponent
    moved = moved[rng.permutation(np.append(np.arange(15), rng.integers(15, size=n_copies)))]
    value = mle_dimension(embeddings=z, k=6)
    assert mle_dimension(embeddings=moved, k=6) == pytest.approx(value, rel=1e-9)


def test_input_is_not_changed():
    z = np.random.default_rng(0).normal(size=(30, 6))
    distances = cdist(z, z, "sqeuclidean")
    before = distances.copy()
    mle_dimension(distances)
    np.testing.assert_array_equal(distances, before)


# 4. errors


def test_too_few_distinct_images_are_undefined():
    z = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(ScoreUndefinedError, match="at least 21 of them, but there are 20 among 40"):
        mle_dimension(embeddings=np.tile(z, (2, 1)))


def test_equidistant_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="the 4 nearest of each of 9 images are all"):
        mle_dimension(embeddings=0.1 * np.eye(9), k=4)


def test_one_neighbour_is_not_enough():
    with pytest.raises(InputError, match="must be ≥ 2, but is 1"):
        mle_dimension(embeddings=np.eye(9), k=1)
