import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import ebab_mi
from zoo_eval.scores.information._plug_in import plug_in_information, row_states
from zoo_eval.scores.information.ebab_mi import equal_count_edges


def data(n=40, d=5, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def plug_in(states, labels):
    """Plug-in I(T; Y) of one state per image, in bits."""
    ids, sizes = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    return plug_in_information(states[:, None], ids, sizes, null=False)[0]


# 1. closed forms


def test_distinct_values_fill_the_bins_equally():
    # 4 of 40 values in each of 10 bins; a class for each bin makes I = H(T) = log₂ 10.
    z = np.random.default_rng(0).permutation(np.arange(40.0))[:, None]
    labels = (z[:, 0] // 4).astype(np.int64)
    assert ebab_mi(z, labels, bins=10, null=False) == pytest.approx(np.log2(10), rel=1e-12)


def test_a_shared_lowest_value_has_its_own_bin():
    # As after a ReLU: 0 against the rest is one bit, though one bin is asked of the rest.
    z = np.array([0.0, 0, 0, 0, 1, 2, 3, 4])[:, None]
    halves = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert ebab_mi(z, halves, bins=8, null=False) == pytest.approx(1, rel=1e-12)
    quarters = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    assert ebab_mi(z, quarters, bins=2, null=False) == pytest.approx(1.5, rel=1e-12)


@pytest.mark.parametrize("on", ["dimensions", "components"])
def test_each_image_in_a_bin_of_its_own_tells_nothing(on):
    z, labels = data(30, 2)  # I is H(Y) whatever the labels
    assert ebab_mi(z, labels, on=on, bins=30, null=False) == pytest.approx(np.log2(3), rel=1e-12)
    with pytest.raises(ScoreUndefinedError, match="Each of the 30 images has a state of its own"):
        ebab_mi(z, labels, on=on, bins=30)
    shared = np.hstack([z, np.maximum(z[:, :1], 0)])  # a feature with ties is enough
    assert np.isfinite(ebab_mi(shared, labels, bins=30))


def test_a_constant_feature_counts_as_nothing():
    z, labels = data(30, 1, signal=3)
    with_constant = np.hstack([z, np.full_like(z, 0.1)])
    half = ebab_mi(z, labels, bins=8) / 2
    assert half > 0.1
    assert ebab_mi(with_constant, labels, bins=8) == pytest.approx(half, rel=1e-12)


def test_full_rows_saturate_where_single_features_do_not():
    # Pure noise, 2,000 images, 10 classes, 30 bins: the numbers of the docstring.
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(2000, 4)), rng.integers(0, 10, 2000)
    bins = np.argsort(np.argsort(z, axis=0), axis=0) * 30 // 2000
    for d, bits in [(1, 0.10), (2, 2.02), (4, 3.319)]:
        assert plug_in(row_states(bins[:, :d]), labels) == pytest.approx(bits, abs=0.03)
    assert ebab_mi(z, labels) == pytest.approx(0, abs=0.01)


# 2. independent values


def official_states(activations, low, bins=30):
    """Rows of bins as in the official code, from our edges.

    All columns share the edges; the values `low` have a bin to themselves, and so has the
    largest value.
    """
    distinct = np.unique(activations[activations != low])
    edges = np.concatenate([[low], equal_count_edges(distinct, bins), distinct[-1:]])
    return row_states(np.digitize(activations, edges))


@pytest.mark.parametrize("columns", ["first2", "first3", "all"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_rows_of_pooled_bins_give_the_official_numbers(
    reference_embeddings, parity, case, activation, columns
):
    z, labels, _ = reference_embeddings(case)
    z = z.astype(np.float32)[:, : {"first2": 2, "first3": 3, "all": None}[columns]]
    states = (
        official_states(np.maximum(z, 0), 0.0)
        if activation == "relu"
        else official_states(np.tanh(z), -1.000001)
    )
    name = f"ebab/{activation}/{columns}"
    parity.embeddings(case, f"{name}/IXT", plug_in(states, states))  # I(T; T) = H(T)
    parity.embeddings(case, f"{name}/ITY", plug_in(states, labels))


@pytest.mark.parametrize(("n", "classes", "n_states"), [(60, 4, 7), (33, 5, 33), (90, 2, 3)])
def test_plug_in_and_null_equal_scikit_learn(n, classes, n_states):
    rng = np.random.default_rng(n)
    states = rng.integers(0, n_states, size=(n, 4))
    ids = np.unique(rng.integers(0, classes, n) ** 2, return_inverse=True)[1]  # unequal classes
    sizes = np.bincount(ids)
    raw = plug_in_information(states, ids, sizes, null=False)
    excess = plug_in_information(states, ids, sizes, null=True)
    for j, column in enumerate(states.T):
        value = mutual_info_score(column, ids) / np.log(2)
        table = contingency_matrix(column, ids).astype(np.int64)
        chance = expected_mutual_information(table, n) / np.log(2)
        assert raw[j] == pytest.approx(value, rel=1e-9)
        assert excess[j] == pytest.approx(value - chance, rel=1e-9, abs=1e-12)


def test_mean_over_features_of_sorted_blocks():
    # The slow definition: with 40 distinct values and 8 bins, the rank // 5 is the bin.
    z, labels = data(40, 6)
    bins = np.argsort(np.argsort(z, axis=0), axis=0) // 5
    slow = np.mean([mutual_info_score(column, labels) for column in bins.T]) / np.log(2)
    assert ebab_mi(z, labels, bins=8, null=False) == pytest.approx(slow, rel=1e-12)


def test_components_are_binned_together():
    z, labels = data(40, 6)
    centred = z - z.mean(axis=0)
    scores = centred @ np.linalg.svd(centred)[2][:2].T
    bins = np.argsort(np.argsort(scores, axis=0), axis=0) // 10
    for sign in (-1, 1):  # blocks of 10 are the same from either end
        joint = (bins[:, 0] * 4 + bins[:, 1])[::sign]
        slow = mutual_info_score(joint, labels[::sign]) / np.log(2)
        found = ebab_mi(z, labels, on="components", n_components=2, bins=4, null=False)
        assert found == pytest.approx(slow, rel=1e-12)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), relu=st.booleans())
def test_unchanged_by_increasing_functions_order_and_class_names(seed, relu):
    rng = np.random.default_rng(seed)
    z, labels = data(25, 3, 4, seed)
    z = np.maximum(z, 0) if relu else z
    order = rng.permutation(25)
    moved = np.exp(2 * z + rng.normal(size=3))[order]
    renamed = np.array([50, 3, 4, -1])[labels]
    value = ebab_mi(z, labels, bins=6)
    assert ebab_mi(moved, renamed[order], bins=6) == pytest.approx(value, rel=1e-9, abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_on_components_unchanged_by_rotation_shift_scale_and_order(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (12, 20) if wide else (20, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    value = ebab_mi(z, labels, on="components", n_components=2, bins=3)
    again = ebab_mi(moved[order], labels[order], on="components", n_components=2, bins=3)
    assert again == pytest.approx(value, rel=1e-9, abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100))
def test_between_less_than_nothing_and_the_entropy_of_the_classes(seed, signal):
    z, labels = data(24, 2, 4, seed, signal)
    assert -1e-12 <= ebab_mi(z, labels, bins=5, null=False) <= 2 + 1e-12
    assert abs(ebab_mi(z, labels, bins=5)) <= 2


# 4. errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bins": 1}, "bins must be ≥ 2, but is 1"),
        ({"on": "rows"}, "'dimensions' or 'components', but is 'rows'"),
        ({"on": "components", "n_components": 0}, "n_components must be ≥ 1, but is 0"),
    ],
)
def test_wrong_options(options, message):
    z, labels = data()
    with pytest.raises(InputError, match=message):
        ebab_mi(z, labels, **options)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but all 5 images"):
        ebab_mi(np.eye(5), np.zeros(5, dtype=np.int64))


@pytest.mark.parametrize("on", ["dimensions", "components"])
def test_equal_embeddings_are_undefined(on):
    with pytest.raises(ScoreUndefinedError, match="vary, but all 6 are equal"):
        ebab_mi(np.full((6, 3), 0.1), np.arange(6) % 2, on=on)
