import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import ksg_mi
from zoo_eval.scores.information.ksg_mi import entropy_difference, neighbour_information


def data(n=30, d=5, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_ross(points, labels, k):
    """The definition, with the matrix of all distances."""
    distances = np.abs(points[:, None] - points[None]).max(axis=-1)
    np.fill_diagonal(distances, np.inf)
    n, terms = len(points), []
    for i in range(n):
        own = distances[i, labels == labels[i]]
        reach = np.sort(own)[min(k, len(own) - 1) - 1] + 1e-9
        near_own, near = np.sum(own <= reach), np.sum(distances[i] <= reach)
        terms.append(digamma(near_own) - digamma(len(own)) - digamma(near))
    return (digamma(n) + np.mean(terms)) / np.log(2)


# 1. closed forms


@pytest.mark.parametrize(("classes", "size"), [(2, 50), (5, 10)])
def test_distant_classes(classes, size):
    # All neighbours are of the own class: I = ψ(n) − ψ(n / C), whatever lies within.
    labels = np.repeat(np.arange(classes), size)
    z = np.random.default_rng(0).normal(size=(classes * size, 2)) + 1000.0 * labels[:, None]
    bits = (digamma(classes * size) - digamma(size)) / np.log(2)
    assert ksg_mi(embeddings=z, labels=labels) == pytest.approx(bits, rel=1e-12)


def test_alternating_classes_on_a_line():
    # Six points on a line, classes in turn, k = 1: the own class is 2 away, where the ends have
    # 2 neighbours (1 own), their neighbours 3 (1 own), the middle 4 (2 own).
    z, labels = np.arange(6.0)[:, None], np.arange(6) % 2
    terms = 2 * (digamma(1) - digamma(2) + digamma(1) - digamma(3) + digamma(2) - digamma(4))
    bits = (digamma(6) - digamma(3) + terms / 6) / np.log(2)
    assert ksg_mi(embeddings=z, labels=labels, k=1) == pytest.approx(bits, rel=1e-12)


def test_duplicates_are_ties():
    # Classes in one point each: every other of the class is within reach 0.
    labels = np.repeat([0, 1], 8)
    z = np.outer(labels, [3.0, 4.0])
    bits = (digamma(16) + digamma(7) - digamma(8) - digamma(7)) / np.log(2)
    assert ksg_mi(embeddings=z, labels=labels) == pytest.approx(bits, rel=1e-12)
    # And one point for all images but two tells hardly anything.
    z = np.zeros((40, 2))
    z[0], z[1] = 1, 2
    assert ksg_mi(embeddings=z, labels=np.arange(40) % 2) == pytest.approx(0, abs=0.05)


def test_an_image_alone_in_its_class_is_left_out():
    # A component would change with the image, so this is a single feature.
    z, labels = data(20, 1)
    lonely = ksg_mi(embeddings=np.append(z, [[0.5]], axis=0), labels=np.append(labels, 9))
    assert lonely == pytest.approx(ksg_mi(embeddings=z, labels=labels), rel=1e-12)


def test_small_classes_take_all_of_their_others():
    z, labels = data(20, 2, classes=10)
    assert ksg_mi(embeddings=z, labels=labels, k=1) == ksg_mi(embeddings=z, labels=labels, k=50)


def test_normal_classes_have_the_information_of_the_integral():
    # Two normal densities 2 apart: H(Y) − E[H(Y | z)] by numerical integration.
    x = np.linspace(-12, 12, 20001)
    p, q = np.exp(-((x - 1) ** 2) / 2), np.exp(-((x + 1) ** 2) / 2)
    share = p / (p + q)
    entropy = -share * np.log2(share) - (1 - share) * np.log2(1 - share)
    bits = 1 - np.sum((p + q) * entropy) / np.sum(p + q)
    labels = np.arange(4000) % 2
    z = np.random.default_rng(0).normal(size=(4000, 1)) + 2.0 * labels[:, None]
    for estimator in ("ross", "entropies"):
        value = ksg_mi(embeddings=z, labels=labels, k=10, estimator=estimator)
        assert value == pytest.approx(bits, abs=0.03)


# 2. independent values


# All but "relu_unbalanced", see the next test; in "degenerate" at most three rows are equal.
@pytest.mark.parametrize(
    "case", ["balanced_n_gt_d", "n_lt_d", "mean_offset", "weak_powerlaw", "degenerate"]
)
def test_entropies_equal_npeets_number(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    value = entropy_difference(z[:, :2], labels, 3)
    parity.embeddings(case, "ksg/npeet_micd/first2", abs(value))  # NPEET hides the sign


def test_npeets_number_with_duplicates_is_the_noise_it_adds(reference_embeddings, expected):
    z, labels, _ = reference_embeddings("relu_unbalanced")
    points = z[:, :2]  # 136 of 300 rows are zero
    assert expected("relu_unbalanced", "ksg/npeet_micd/first2") == pytest.approx(1.2148, abs=1e-4)
    with pytest.raises(ScoreUndefinedError, match="136 of 300 images are equal to 3 or more"):
        entropy_difference(points, labels, 3)
    noise = np.random.default_rng(0).random((300, 2))
    found = [entropy_difference(points + size * noise, labels, 3) for size in (1e-8, 1e-5, 1e-3)]
    np.testing.assert_allclose(found, [-1.10, -0.90, -0.77], atol=0.03)
    # Ross's form has a value, and hardly minds the noise.
    assert neighbour_information(points, labels, 3) == pytest.approx(
        neighbour_information(points + 1e-5 * noise, labels, 3), abs=0.1
    )


@pytest.mark.parametrize(("n", "classes", "k"), [(60, 3, 3), (200, 10, 5), (34, 2, 2)])
def test_equals_scikit_learn_on_one_feature(parity, n, classes, k):
    # scikit-learn adds noise of 1e-10 of the scale, which moves no count here.
    z, labels = data(n, 1, classes)
    z += labels[:, None]  # enough to be above 0, below which they never go
    theirs = mutual_info_classif(z, labels, n_neighbors=k, random_state=0)[0] / np.log(2)
    value = ksg_mi(embeddings=z, labels=labels, k=k)
    parity.compare("ksg/sklearn", "sklearn", f"n = {n}, C = {classes}", value, theirs, 1e-9)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_equals_the_slow_definition(d):
    z, labels = data(40, d)
    z = np.round(z, 1)  # ties
    assert neighbour_information(z, labels, 2) == pytest.approx(slow_ross(z, labels, 2), rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(30, 6), (12, 40)])
def test_components_keep_their_scale(n, d):
    z, labels = data(n, d)
    left, values, _ = np.linalg.svd(z - z.mean(axis=0), full_matrices=False)
    value = ksg_mi(embeddings=z, labels=labels)
    assert value == pytest.approx(slow_ross((left * values)[:, :3], labels, 3), rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    assert ksg_mi(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        ksg_mi(embeddings=z, labels=labels), rel=1e-9, abs=1e-12
    )


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100))
def test_at_most_what_distant_classes_have(seed, signal):
    z, labels = data(20, 2, 4, seed, signal)
    most = (digamma(20) - digamma(5)) / np.log(2)
    assert ksg_mi(embeddings=z, labels=labels) <= most + 1e-12


# 4. errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k, the number of neighbours, must be ≥ 1, but is 0"),
        ({"estimator": "npeet"}, "'ross' or 'entropies', but is 'npeet'"),
        ({"n_components": 0}, "n_components must be ≥ 1, but is 0"),
    ],
)
def test_wrong_options(options, message):
    z, labels = data()
    with pytest.raises(InputError, match=message):
        ksg_mi(embeddings=z, labels=labels, **options)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but all 5 images"):
        ksg_mi(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_one_class_of_two_or_more_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="of 3 classes 1 have as many"):
        ksg_mi(embeddings=np.eye(5), labels=np.array([0, 0, 0, 1, 2]))


def test_too_few_images_for_an_entropy_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="5 neighbours need 6 images, but there are 4"):
        ksg_mi(embeddings=np.eye(4), labels=np.arange(4) % 2, k=5, estimator="entropies")


def test_equal_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="vary, but all 6 are equal"):
        ksg_mi(embeddings=np.full((6, 3), 0.1), labels=np.arange(6) % 2)
