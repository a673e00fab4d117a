import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.distances import squared_distances
from zoo_eval.scores import knn_accuracy
from zoo_eval.scores.transfer import knn_accuracy as module


def data(n=60, d=5, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_knn_accuracy(z, labels, k, metric):
    """scikit-learn's votes with each image left out; of m winners each counts 1/m."""
    classifier = KNeighborsClassifier(k, metric=metric, algorithm="brute")
    votes = cross_val_predict(classifier, z, labels, cv=LeaveOneOut(), method="predict_proba")
    winners = np.isclose(votes, votes.max(axis=1, keepdims=True))
    return np.mean(winners[np.arange(len(z)), labels] / winners.sum(axis=1))


# 1. closed forms


def test_pairs_of_twins():
    z = np.repeat(np.eye(4), 2, axis=0)
    twins = np.repeat(np.arange(4), 2)
    strangers = np.arange(8) % 2
    assert knn_accuracy(embeddings=z, labels=twins, k=1) == 1
    assert knn_accuracy(embeddings=z, labels=strangers, k=1) == 0


def test_all_other_images_vote_against_an_equal_class():
    # k = n − 1: without itself an image's own class is in the minority.
    z, _ = data(20)
    assert knn_accuracy(embeddings=z, labels=np.arange(20) % 2, k=19) == 0
    assert knn_accuracy(embeddings=z, labels=(np.arange(20) < 5).astype(np.int64), k=19) == 0.75


def test_all_images_as_far_as_the_kth_vote():
    # On a circle both neighbours are equally near; one of them has the image's own class.
    angle = np.arange(8) * np.pi / 4
    z = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    labels = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    assert knn_accuracy(embeddings=z, labels=labels, k=1) == 0.5


def test_identical_embeddings_are_all_neighbours():
    labels = np.array([0, 0, 0, 1])
    assert knn_accuracy(embeddings=np.ones((4, 2)), labels=labels, k=1) == 0.75


# 2. independent values


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 2, 5, 20])
@pytest.mark.parametrize("signal", [0.2, 1.5])
def test_equals_scikit_learn(k, metric, signal):
    z, labels = data(signal=signal)
    value = knn_accuracy(embeddings=z, labels=labels, k=k, metric=metric)
    assert value == pytest.approx(slow_knn_accuracy(z, labels, k, metric), rel=1e-12)


def test_defaults_are_20_neighbours_by_cosine():
    z, labels = data(signal=0.4)
    assert knn_accuracy(embeddings=z, labels=labels) == knn_accuracy(
        embeddings=z, labels=labels, k=20, metric="cosine"
    )


def test_nearest_neighbour_equals_the_official_code(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    value = knn_accuracy(embeddings=z, labels=labels, k=1, metric="euclidean")
    parity.embeddings(case, "knn/parc_k1", value, scale=0.01)


def test_three_neighbours_equal_the_official_code_but_for_ties(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    votes = module._votes(squared_distances(z).__getitem__, labels, int(labels.max()) + 1, 3)
    # The official code gives ties of three neighbours to the class that is numbered first.
    first = np.argmax(votes, axis=1) == labels
    parity.embeddings(case, "knn/transformer_ranker_k3", float(first.mean()))
    tied = np.sum(votes == votes.max(axis=1, keepdims=True), axis=1) > 1
    right = first[~tied].sum() + sum(votes[i, labels[i]] > 0 for i in np.flatnonzero(tied)) / 3
    value = knn_accuracy(embeddings=z, labels=labels, k=3, metric="euclidean")
    assert value == pytest.approx(right / len(z), rel=1e-12)


# 3. symmetries


@given(
    seed=st.integers(0, 2**32 - 1),
    k=st.integers(1, 8),
    metric=st.sampled_from(["cosine", "euclidean"]),
)
def test_unchanged_by_rotation_scale_order_and_class_names(seed, k, metric):
    rng = np.random.default_rng(seed)
    z, labels = data(16, 4, 3, seed)
    z = np.vstack([z, z[:4]])  # duplicates with other classes: exact ties
    labels = np.concatenate([labels, rng.integers(0, 3, size=4)])
    order = rng.permutation(20)
    moved = (7 * z @ np.linalg.qr(rng.normal(size=(4, 4)))[0])[order]
    renamed = np.array([50, 3, 4])[labels][order]
    assert knn_accuracy(embeddings=moved, labels=renamed, k=k, metric=metric) == pytest.approx(
        knn_accuracy(embeddings=z, labels=labels, k=k, metric=metric), rel=1e-12
    )


def test_cosine_ignores_the_length_of_each_embedding():
    z, labels = data()
    lengths = np.random.default_rng(1).uniform(0.1, 10, size=(60, 1))
    assert knn_accuracy(embeddings=z * lengths, labels=labels) == knn_accuracy(
        embeddings=z, labels=labels
    )
    assert knn_accuracy(embeddings=z * lengths, labels=labels, metric="euclidean") != knn_accuracy(
        embeddings=z, labels=labels, metric="euclidean"
    )


def test_euclidean_ignores_a_shift():
    z, labels = data()
    assert knn_accuracy(embeddings=z + 8, labels=labels, metric="euclidean") == knn_accuracy(
        embeddings=z, labels=labels, metric="euclidean"
    )


# 4. errors


@pytest.mark.parametrize("k", [0, -3])
def test_k_must_be_positive(k):
    with pytest.raises(InputError, match=f"≥ 1, but is {k}"):
        knn_accuracy(embeddings=np.eye(4), labels=np.arange(4) % 2, k=k)


def test_too_few_images_are_undefined():
    with pytest.raises(
        ScoreUndefinedError, match=r"20 neighbours need at least 21 images.* are 20"
    ):
        knn_accuracy(embeddings=np.eye(20), labels=np.arange(20) % 2)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 4 images"):
        knn_accuracy(embeddings=np.eye(4), labels=np.zeros(4, dtype=np.int64), k=1)


def test_the_angle_of_a_zero_embedding_is_undefined():
    z = np.vstack([np.eye(4), np.zeros((2, 4))])
    with pytest.raises(ScoreUndefinedError, match="2 of 6 are zero"):
        knn_accuracy(embeddings=z, labels=np.arange(6) % 2, k=1)
    assert 0 <= knn_accuracy(embeddings=z, labels=np.arange(6) % 2, k=1, metric="euclidean") <= 1


def test_unknown_metric():
    with pytest.raises(InputError, match="'cosine' or 'euclidean', but is 'cos'"):
        knn_accuracy(embeddings=np.eye(4), labels=np.arange(4) % 2, k=1, metric="cos")
