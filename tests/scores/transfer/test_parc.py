import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import parc


def data(n=20, d=6, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_parc(z, labels, label_distances=None):
    """The definition, with scikit-learn's scaler and scipy's rank correlation."""
    lower = np.tril_indices(len(z), -1)
    distances = 1 - np.corrcoef(StandardScaler().fit_transform(z))
    if label_distances is None:
        label_distances = (labels[:, None] != labels).astype(np.float64)
    return spearmanr(distances[lower], label_distances[lower]).statistic


# 1. closed forms


def test_three_images():
    # Two classes; the distances of the pairs of different classes are the largest and, by choice,
    # the smallest or the middle one: ranks against (0, 1, 1) give ±√3 / 2 or 0.
    z = np.array([[1.0, 0, 0, 0], [0.9, 0.5, 0, 0], [0, 0.6, 1, 0]])
    ranks = {  # of the pairs (0, 1), (0, 2), (1, 2): 1, 3, 2
        (0, 0, 1): np.sqrt(3) / 2,
        (0, 1, 0): -np.sqrt(3) / 2,
        (0, 1, 1): 0.0,
    }
    for labels, value in ranks.items():
        found = parc(embeddings=z, labels=np.array(labels))
        assert found == pytest.approx(value, abs=1e-12)


def test_two_tight_classes():
    # All m distances between classes above all k within: with ties in the labels only, the
    # correlation is √(3 k m / ((k + m)² − 1)).
    rng = np.random.default_rng(0)
    labels = np.arange(8) % 2
    z = np.array([[1.0, 0, 2, 0], [0, 1, 0, 2]])[labels] + 0.01 * rng.normal(size=(8, 4))
    k, m = 12, 16
    value = np.sqrt(3 * k * m / (28**2 - 1))
    assert parc(embeddings=z, labels=labels) == pytest.approx(value, rel=1e-12)


# 2. independent values


def test_equals_the_official_code_with_exact_ties(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    value = parc(embeddings=z, labels=labels)
    parity.embeddings(case, "parc/official", value, field="rederived", scale=0.01, rel=1e-9)


def test_official_ties_are_broken_by_rounding(reference_embeddings, expected, case):
    z, labels, _ = reference_embeddings(case)
    one_hot = np.eye(labels.max() + 1)[labels]
    label_distances = 1 - np.corrcoef(one_hot)
    off_diagonal = label_distances[np.triu_indices(len(z), 1)]
    official = expected(case, "parc/official") / 100
    ours = parc(embeddings=z, labels=labels)
    if case == "mean_offset":  # 4 classes: all numbers are exact in binary
        assert len(np.unique(off_diagonal)) == 2
        assert ours == pytest.approx(official, rel=1e-12)
    else:
        assert len(np.unique(off_diagonal)) > 2
        assert len(np.unique(np.round(off_diagonal, 12))) == 2
        assert abs(ours - official) > 1e-4


def test_equals_the_official_code_on_its_randomised_components(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    pca = PCA(32, svd_solver="randomized", random_state=1919, iterated_power=1)
    reduced = pca.fit_transform(z)
    value = parc(embeddings=reduced, labels=labels)
    assert value == pytest.approx(slow_parc(reduced, labels), rel=1e-9)
    if case == "degenerate":  # from the 15th on, components hold rounding, each computer's own
        return
    parity.embeddings(case, "parc/official_pca32", value, field="rederived", scale=0.01)


@pytest.mark.parametrize("n_components", [3, 5, 32, 1000])
def test_components_are_those_of_a_full_decomposition(reference_embeddings, expected, n_components):
    z, labels, _ = reference_embeddings("weak_powerlaw")
    value = parc(embeddings=z, labels=labels, n_components=n_components)
    reduced = PCA(min(n_components, *z.shape), svd_solver="full").fit_transform(z)
    assert value == pytest.approx(slow_parc(reduced, labels), rel=1e-9)
    if n_components == 32:  # the randomised decomposition is not exact
        assert value == pytest.approx(0.230, abs=1e-3)
        assert 0.01 * expected("weak_powerlaw", "parc/official_pca32") < 0.204


@pytest.mark.parametrize(("n", "d"), [(30, 6), (12, 40), (20, 3)])
def test_equals_the_slow_definition(n, d):
    z, labels = data(n, d)
    assert parc(embeddings=z, labels=labels) == pytest.approx(slow_parc(z, labels), rel=1e-9)


def test_duplicate_images_tie():
    # Three images of one class, twice each; order of the images does not matter then either.
    z, labels = data(12, 5)
    z, labels = np.repeat(z, 2, axis=0), np.repeat(labels, 2)
    value = parc(embeddings=z, labels=labels)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(24)
        assert parc(embeddings=z[order], labels=labels[order]) == pytest.approx(value, rel=1e-12)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1))
def test_unchanged_by_units_and_order_of_features_order_of_images_and_class_names(seed):
    rng = np.random.default_rng(seed)
    z, labels = data(seed=seed)
    order = rng.permutation(20)
    moved = (z * rng.uniform(0.1, 10, size=6) + rng.normal(size=6))[:, rng.permutation(6)]
    renamed = np.array([50, 3, 4])[labels]
    assert parc(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        parc(embeddings=z, labels=labels), rel=1e-9, abs=1e-10
    )


def test_a_constant_feature_counts_as_average():
    z, labels = data()
    padded = np.column_stack([z, np.full(20, 0.1)])
    standardised = np.column_stack([StandardScaler().fit_transform(z), np.zeros(20)])
    distances = 1 - np.corrcoef(standardised)
    lower = np.tril_indices(20, -1)
    value = spearmanr(distances[lower], (labels[:, None] != labels)[lower]).statistic
    assert parc(embeddings=padded, labels=labels) == pytest.approx(value, rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100), d=st.integers(3, 20))
def test_between_minus_one_and_one(seed, signal, d):
    z, labels = data(12, d, 4, seed, signal)
    assert -1 <= parc(embeddings=z, labels=labels) <= 1


# 4. errors


def test_wrong_n_components():
    with pytest.raises(InputError, match=r"n_components must be ≥ 0 .* but is -2"):
        parc(embeddings=np.eye(4), labels=np.arange(4) % 2, n_components=-2)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"PARC .* but all 5 images"):
        parc(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_a_class_for_each_image_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="two images of one class, but all 5 are of diff"):
        parc(embeddings=data(5)[0], labels=np.arange(5))


def test_one_feature_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="6 of 6 images have one value in all 1 standar"):
        parc(embeddings=data(6, 1)[0], labels=np.arange(6) % 2)


def test_equal_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="6 of 6 images have one value in all 3 standar"):
        parc(embeddings=np.full((6, 3), 0.1), labels=np.arange(6) % 2)


def test_equal_distances_are_undefined():
    with pytest.raises(
        ScoreUndefinedError, match=r"those of all 6 pairs of images are equal, 1\.3"
    ):
        parc(embeddings=np.eye(4), labels=np.arange(4) % 2)
