import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import cluster_learnability

# 1. closed forms


@pytest.mark.parametrize("clusters", [2, 4])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_distant_clusters_are_learned(clusters, metric):
    rng = np.random.default_rng(0)
    z = 10 * np.eye(5)[np.arange(20) % clusters] + 0.1 * rng.normal(size=(20, 5))
    assert cluster_learnability(embeddings=z, n_clusters=clusters, metric=metric) == 1


def test_an_image_alone_in_its_cluster_is_not():
    z = np.array([[1.0], [1.1], [1.2], [9.0]])
    assert cluster_learnability(embeddings=z, metric="euclidean") == 0.75


def test_ties_share():
    # Clusters of two on a line, at 0, 1 and 2, 3 of distance 1: the inner ones have two nearest.
    z = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert cluster_learnability(embeddings=z, metric="euclidean") == 0.75


def test_noise_in_many_dimensions_is_not_learned_and_in_few_it_is():
    rng = np.random.default_rng(0)
    found = [cluster_learnability(embeddings=rng.normal(size=(200, d))) for d in (300, 3)]
    assert found[0] < 0.3 < 0.7 < found[1]


# 2. independent values


@pytest.mark.parametrize(("metric", "k"), [("cosine", 1), ("euclidean", 1), ("euclidean", 3)])
def test_equals_scikit_learns_leave_one_out(metric, k):
    z = np.random.default_rng(1).normal(size=(60, 5)) + 1
    points = normalize(z) if metric == "cosine" else z
    clusters = KMeans(7, n_init=5, random_state=0).fit_predict(points)
    knn = KNeighborsClassifier(k)
    if k == 1:
        slow = cross_val_score(knn, points, clusters, cv=LeaveOneOut()).mean()
    else:  # they break ties of the votes by the number of the cluster, we share
        apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
        neighbours = np.argsort(apart, axis=1)[:, 1 : k + 1]
        votes = np.array([np.bincount(clusters[row], minlength=7) for row in neighbours])
        winners = votes == votes.max(axis=1, keepdims=True)
        slow = np.mean(winners[np.arange(60), clusters] / winners.sum(axis=1))
    assert 0.2 < slow < 1
    value = cluster_learnability(embeddings=z, metric=metric, k=k)
    assert value == pytest.approx(slow, rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_and_scale(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (16, 4)
    z = rng.normal(size=(n, d))
    moved = z @ np.linalg.qr(rng.normal(size=(d, d)))[0] * 2.0**exponent
    value = cluster_learnability(embeddings=z)
    assert 0 <= value <= 1
    assert cluster_learnability(embeddings=moved) == pytest.approx(value, rel=1e-9)


def test_independent_of_and_silent_to_the_global_generator():
    z = np.random.default_rng(0).normal(size=(40, 4))
    np.random.seed(1)  # noqa: NPY002
    before = cluster_learnability(embeddings=z)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert cluster_learnability(embeddings=z) == before
    np.random.seed(1)  # noqa: NPY002
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


# 4. errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k, the number of neighbours, must be ≥ 1, but is 0"),
        ({"n_clusters": 1}, "'sqrt' or ≥ 2, but is 1"),
        ({"n_clusters": "many"}, "'sqrt' or ≥ 2, but is 'many'"),
        ({"metric": "dot"}, "'cosine' or 'euclidean', but is 'dot'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(InputError, match=message):
        cluster_learnability(embeddings=np.eye(9), **options)


@pytest.mark.parametrize(
    ("z", "options", "message"),
    [
        (np.eye(3), {}, "from 4 images on, but there are 3"),
        (np.eye(9), {"k": 9}, "at least 10 images, but there are 9"),
        (np.ones((9, 2)), {}, "3 clusters need as many distinct embeddings, but of 9 there are 1"),
        (np.eye(3)[np.arange(16) % 3], {}, "but of 16 there are 3"),
        (np.diag([1.0] * 8 + [0.0]), {}, "undefined, but 1 of 9 are zero"),
        (np.zeros((9, 2)), {}, "undefined, but 9 of 9 are zero"),
        (np.zeros((9, 2)), {"metric": "euclidean"}, "but of 9 there are 1"),
    ],
)
def test_undefined(z, options, message):
    with pytest.raises(ScoreUndefinedError, match=message):
        cluster_learnability(embeddings=z, **options)
