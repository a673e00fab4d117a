import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import binning_mi
from zoo_eval.scores.information._plug_in import plug_in_information, row_states


def data(n=40, d=5, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


# 1. closed forms


@pytest.mark.parametrize("classes", [2, 4, 5])
def test_a_class_in_each_cell(classes):
    labels = np.arange(40) % classes
    z = np.outer(labels, [3.0, -4.0])
    value = binning_mi(embeddings=z, labels=labels, bins=classes, null=False)
    assert value == pytest.approx(np.log2(classes), rel=1e-12)


def test_two_pairs():
    # One class in one cell each. Of the three ways to deal out two pairs of labels, one in three
    # keeps them together: E[I] = 1/3 bit.
    z = np.array([[0.0], [0.0], [9.0], [9.0]])
    labels = np.array([0, 0, 1, 1])
    assert binning_mi(embeddings=z, labels=labels) == pytest.approx(2 / 3, rel=1e-12)


def test_each_image_in_a_cell_of_its_own_tells_nothing():
    z, labels = data(20, 10)
    options = {"bins": 1000, "n_components": 10}
    value = binning_mi(embeddings=z, labels=labels, null=False, **options)
    assert value == pytest.approx(
        np.log2(20) - 14 / 20 * np.log2(7) - 6 / 20 * np.log2(6), rel=1e-9
    )
    with pytest.raises(ScoreUndefinedError, match="Each of the 20 images has a state of its own"):
        binning_mi(embeddings=z, labels=labels, **options)


@pytest.mark.parametrize(("classes", "null"), [(10, 0.5), (100, 2.2)])
def test_the_null_is_what_the_docstring_says(classes, null):
    z, labels = np.random.default_rng(0).normal(size=(1000, 3)), np.arange(1000) % classes
    raw = binning_mi(embeddings=z, labels=labels, null=False)
    excess = binning_mi(embeddings=z, labels=labels)
    assert raw - excess == pytest.approx(null, abs=0.1)
    assert excess == pytest.approx(0, abs=0.05)


# 2. independent values


@pytest.mark.parametrize("width", [0.5, 1.0])
def test_whole_multiples_of_a_width_give_ibsgds_numbers(reference_embeddings, parity, case, width):
    z, labels, _ = reference_embeddings(case)
    states = row_states(np.floor(z[:, :3] / width).astype(np.int64))
    columns = np.stack([states, states], axis=1)
    entropy = plug_in_information(columns, states, np.bincount(states), null=False)[0]
    information = plug_in_information(columns, labels, np.bincount(labels), null=False)[0]
    for name, bits in [("H", entropy), ("ITY", information)]:
        parity.embeddings(
            case, f"binning/ibsgd_floor{width}/first3/{name}", bits, scale=1 / np.log(2)
        )


@pytest.mark.parametrize(("n", "d", "k"), [(60, 5, 2), (15, 30, 3), (30, 1, 3)])
def test_equals_numpys_histogram(n, d, k):
    z, labels = data(n, d)
    centred = z - z.mean(axis=0)
    scores = centred @ np.linalg.svd(centred, full_matrices=False)[2][:k].T
    cells = [
        np.digitize(column, np.linspace(column.min(), column.max(), 5)[1:-1]) for column in scores.T
    ]
    joint = np.ravel_multi_index(cells, [4] * len(cells))
    slow = mutual_info_score(joint, labels) / np.log(2)
    value = binning_mi(embeddings=z, labels=labels, n_components=k, bins=4, null=False)
    assert value == pytest.approx(slow, rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (14, 20) if wide else (20, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    value = binning_mi(embeddings=z, labels=labels, bins=2)  # 8 cells, so some are shared
    again = binning_mi(embeddings=moved[order], labels=renamed[order], bins=2)
    assert again == pytest.approx(value, rel=1e-9, abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100))
def test_between_nothing_and_the_entropy_of_the_classes(seed, signal):
    z, labels = data(24, 2, 4, seed, signal)
    assert -1e-12 <= binning_mi(embeddings=z, labels=labels, null=False) <= 2 + 1e-12


# 4. errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bins": 1}, "bins, per feature, must be ≥ 2, but is 1"),
        ({"n_components": 0}, "n_components must be ≥ 1, but is 0"),
    ],
)
def test_wrong_options(options, message):
    z, labels = data()
    with pytest.raises(InputError, match=message):
        binning_mi(embeddings=z, labels=labels, **options)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but all 5 images"):
        binning_mi(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_equal_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="vary, but all 6 are equal"):
        binning_mi(embeddings=np.full((6, 3), 0.1), labels=np.arange(6) % 2)
