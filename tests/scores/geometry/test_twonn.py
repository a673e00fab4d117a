import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import twonn
from zoo_eval.scores.geometry.twonn import _dimension


def slow_ratios(z):
    """ln μ of each image, with differences in place of the Gram matrix."""
    distances = np.sort(cdist(z, z), axis=1)
    return np.log(distances[:, 2] / distances[:, 1])


def data(n=40, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


# 1. closed forms


def test_powers_of_two_have_three_ratios():
    # Neighbours of 0, 1, 3, 7 on a line: (1, 3), (1, 2), (2, 3), (4, 6).
    z = np.array([[0.0], [1.0], [3.0], [7.0]])
    x = np.log([1.5, 1.5, 2.0])  # 3 of 3, 2, 1.5, 1.5: the largest is discarded
    y = -np.log([3 / 4, 2 / 4, 1 / 4])
    assert twonn(embeddings=z) == pytest.approx(x @ y / (x @ x), rel=1e-12)
    censored = 2 / (2 * np.log(1.5) + 2 * np.log(2.0))
    assert twonn(embeddings=z, method="mle") == pytest.approx(censored, rel=1e-12)


def test_all_ratios_are_the_plain_maximum_likelihood():
    z = np.array([[0.0], [1.0], [3.0], [7.0]])
    plain = 3 / np.log([1.5, 1.5, 2.0, 3.0]).sum()
    assert twonn(embeddings=z, method="mle", discard=0) == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("method", ["fit", "mle"])
def test_exact_quantiles_give_their_dimension(method):
    # μ with P(μ ≤ x) = 1 − x^(−7) at its own quantiles: the fit is a line of slope 7.
    log_ratios = -np.log1p(-np.arange(1, 1000) / 1000) / 7
    value = _dimension(np.append(log_ratios, 10), 0.1, method)
    assert value == pytest.approx(7, rel=1e-12 if method == "fit" else 3e-3)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_near_the_dimension_of_a_cube(d):
    z = np.random.default_rng(d).uniform(size=(800, d)) @ np.eye(d, 20)
    assert twonn(embeddings=z) == pytest.approx(d, rel=0.1)


# 2. independent values

DISTINCT = ["balanced_n_gt_d", "n_lt_d", "relu_unbalanced", "mean_offset", "weak_powerlaw"]


@pytest.mark.parametrize("case", DISTINCT)
@pytest.mark.parametrize(("method", "reference"), [("fit", "skdim"), ("mle", "skdim_mle")])
def test_equals_scikit_dimension(reference_embeddings, parity, case, method, reference):
    z = reference_embeddings(case).embeddings
    parity.embeddings(case, f"twonn/{reference}", twonn(embeddings=z, method=method))


@pytest.mark.parametrize(("method", "reference"), [("fit", "skdim"), ("mle", "skdim_mle")])
def test_scikit_dimension_counts_copies_as_neighbours(
    reference_embeddings, expected, method, reference
):
    z = reference_embeddings("degenerate").embeddings.astype(np.float64)
    distances = np.sort(cdist(z, z), axis=1)
    alone = distances[distances[:, 1] > 0]  # 91 images that have no copy
    theirs = _dimension(np.log(alone[:, 2] / alone[:, 1]), 0.1, method)
    assert theirs == pytest.approx(expected("degenerate", f"twonn/{reference}"), rel=1e-9)
    distinct = np.unique(z, axis=0)
    ours = twonn(embeddings=z, method=method)
    assert ours == pytest.approx(_dimension(slow_ratios(distinct), 0.1, method), rel=1e-9)
    assert 1.04 < theirs / ours < 1.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", ["fit", "mle"])
def test_equals_the_slow_definition(dtype, method):
    z = data().astype(dtype)
    slow = _dimension(slow_ratios(z.astype(np.float64)), 0.2, method)
    assert twonn(embeddings=z, discard=0.2, method=method) == pytest.approx(slow, rel=1e-9)


# 3. symmetries


@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.integers(-20, 20),
    n_copies=st.integers(0, 15),
    method=st.sampled_from(["fit", "mle"]),
)
def test_unchanged_by_rotation_shift_scale_order_and_copies(seed, exponent, n_copies, method):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(15, 4))
    moved = (z @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + rng.normal(size=4)) * 2.0**exponent
    moved = moved[rng.permutation(np.append(np.arange(15), rng.integers(15, size=n_copies)))]
    value = twonn(embeddings=z, method=method)
    assert twonn(embeddings=moved, method=method) == pytest.approx(value, rel=1e-9)


def test_input_is_not_changed():
    distances = cdist(data(), data(), "sqeuclidean")
    before = distances.copy()
    twonn(distances)
    np.testing.assert_array_equal(distances, before)


# 4. errors


def test_two_distinct_images_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="at least 3 of them, but there are 2 among 6"):
        twonn(embeddings=np.eye(2)[[0, 0, 0, 1, 1, 1]])


def test_equal_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="there are 1 among 6"):
        twonn(embeddings=np.full((6, 3), 0.1))


@pytest.mark.parametrize("method", ["fit", "mle"])
def test_equidistant_embeddings_are_undefined(method):
    with pytest.raises(ScoreUndefinedError, match="but for 9 of 10 images both are equally far"):
        twonn(embeddings=0.1 * np.eye(10), method=method)


def test_nearly_collapsed_classes_have_no_dimension():
    # Three classes of one point each, up to 1e-9: not 1e10 dimensions.
    corners = 10 * np.eye(3)[np.arange(30) % 3]
    z = corners + 1e-9 * np.random.default_rng(0).normal(size=(30, 3))
    with pytest.raises(ScoreUndefinedError, match="for 2 of 3 images both are equally far"):
        twonn(embeddings=z)


def test_too_few_ratios_are_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"but 1 of 10 are left with discard=0\.85"):
        twonn(embeddings=data(10), discard=0.85)


@pytest.mark.parametrize("discard", [-0.1, 1, float("nan")])
def test_discard_must_be_a_share(discard):
    with pytest.raises(InputError, match=rf"must be in \[0, 1\), but is {discard}"):
        twonn(embeddings=data(), discard=discard)


def test_unknown_method():
    with pytest.raises(InputError, match="'fit' or 'mle', but is 'bayes'"):
        twonn(embeddings=data(), method="bayes")
