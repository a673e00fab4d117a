import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import NearestCentroid

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import poincare_ncm_gain
from zoo_eval.scores.geometry._poincare import distances, exp0, midpoints
from zoo_eval.scores.geometry.poincare_ncm_gain import n_right_flat, n_right_in_ball

NO_ORACLE = "the extra 'oracles' is not installed"


def data(n=60, d=5, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def tree(per_class=20, seed=0):
    """Classes at several depths of one branch: what hyperbolic space tells apart by direction."""
    rng = np.random.default_rng(seed)
    directions = np.repeat(np.eye(6), per_class, axis=0)
    lengths = rng.lognormal(0, 1, size=len(directions))
    z = directions * lengths[:, None] + 0.05 * rng.normal(size=directions.shape)
    return z, np.repeat(np.arange(6), per_class)


def hyperboloid(x):
    """Points of the ball as points of the hyperboloid t² − ‖s‖² = 1."""
    squares = np.sum(x**2, axis=1, keepdims=True)
    return np.hstack([(1 + squares), 2 * x]) / (1 - squares)


def n_right_in_hyperboloid(vectors, labels, train, test):
    """Number of test images whose class has the nearest mean, with the definitions as they are."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    points = hyperboloid(np.minimum(np.tanh(norms), 1 - 1e-5) * vectors / norms)
    metric = np.diag([1.0] + [-1.0] * vectors.shape[1])
    means = np.stack([points[train][labels[train] == c].sum(axis=0) for c in np.unique(labels)])
    means /= np.sqrt(np.einsum("ci,ij,cj->c", means, metric, means))[:, None]
    nearest = np.argmin(points[test] @ metric @ means.T, axis=1)  # cosh of the distance
    return np.sum(nearest == labels[test])


def n_right_by_hypll(vectors, labels, train, test):
    hypll = pytest.importorskip("hypll.manifolds.poincare_ball.math", reason=NO_ORACLE)
    one, members = torch.ones((), dtype=torch.float64), torch.as_tensor(labels[train])
    points = hypll.diffgeom.expmap0(torch.as_tensor(vectors), one)
    means = [hypll.stats.midpoint(points[train][members == c], one) for c in members.unique()]
    apart = hypll.diffgeom.cdist(points[test][None], torch.stack(means)[None], one)[0]
    return np.sum(apart.argmin(dim=1).numpy() == labels[test])


def slow_gain(z, labels, folds, n_right):
    """The gain by another's count of right answers in the ball, fold after fold."""
    z = z - z.mean(axis=0)
    z = z / np.median(np.linalg.norm(z, axis=1))
    split = StratifiedKFold(folds, shuffle=True, random_state=0)
    tests = [test for _, test in split.split(z, labels)]
    gain = 0
    for fold, test in enumerate(tests):
        choice = tests[(fold + 1) % folds]
        train = np.setdiff1d(np.arange(len(z)), test)
        kept = np.setdiff1d(train, choice)
        best = max(
            (2.0**e for e in range(-3, 3)), key=lambda r: n_right(r * z, labels, kept, choice)
        )
        flat = NearestCentroid().fit(z[train], labels[train])
        gain += n_right(best * z, labels, train, test) - np.sum(
            flat.predict(z[test]) == labels[test]
        )
    return gain / len(z)


# 1. closed forms: the ball


@pytest.mark.parametrize("length", [1e-9, 0.3, 1.0, 5.0])
def test_exp0_goes_twice_as_far_as_the_vector(length):
    v = length * np.array([[0.6, -0.8]])
    point = exp0(v)
    assert np.linalg.norm(point) == pytest.approx(np.tanh(length), rel=1e-12)
    # Near the rim 1 − ‖x‖² is small, which costs digits.
    assert distances(point, np.zeros((1, 2)))[0, 0] == pytest.approx(2 * length, rel=1e-9)


def test_exp0_of_nothing_and_of_much():
    found = exp0(np.array([[0.0, 0.0], [1e9, 0.0]]))
    np.testing.assert_allclose(found, [[0, 0], [1 - 1e-5, 0]], rtol=1e-12)


def test_distance_equals_the_hyperboloids_and_twice_euclids_if_small():
    x = exp0(np.random.default_rng(0).normal(size=(6, 3)))
    metric = np.diag([1.0, -1, -1, -1])
    cosh = hyperboloid(x) @ metric @ hyperboloid(x).T
    off = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(distances(x, x)[off], np.arccosh(cosh[off]), rtol=1e-9)
    small = 1e-4 * np.array([[1.0, 0], [0, 1]])
    assert distances(small, small)[0, 1] == pytest.approx(2 * np.sqrt(2) * 1e-4, rel=1e-6)


def test_midpoint_of_opposites_and_of_one():
    x = exp0(np.random.default_rng(0).normal(size=(4, 3)))
    ids = np.zeros(4, dtype=np.int64)
    both = np.concatenate([x, -x])
    np.testing.assert_allclose(midpoints(both, np.tile(ids, 2), 1), np.zeros((1, 3)), atol=1e-15)
    np.testing.assert_allclose(midpoints(x, np.arange(4), 4), x, rtol=1e-12)


def test_midpoint_of_two_is_equally_far_and_on_the_way():
    x, y = exp0(np.array([[0.2, 1.0], [1.5, -0.3]]))[:, None]
    m = midpoints(np.concatenate([x, y]), np.zeros(2, dtype=np.int64), 1)
    half = distances(x, y)[0, 0] / 2
    assert distances(x, m)[0, 0] == pytest.approx(half, rel=1e-12)
    assert distances(y, m)[0, 0] == pytest.approx(half, rel=1e-12)


def test_midpoint_is_the_mean_in_the_hyperboloid():
    x = exp0(np.random.default_rng(1).normal(size=(9, 4)))
    ids = np.arange(9) % 2
    for c, m in enumerate(midpoints(x, ids, 2)):
        mean = hyperboloid(x[ids == c]).sum(axis=0)
        mean /= np.sqrt(mean[0] ** 2 - np.sum(mean[1:] ** 2))
        np.testing.assert_allclose(m, mean[1:] / (1 + mean[0]), rtol=1e-12)


def test_the_ball_is_that_of_hypll():
    hypll = pytest.importorskip("hypll.manifolds.poincare_ball.math", reason=NO_ORACLE)
    vectors = np.random.default_rng(2).normal(size=(9, 4)) * np.linspace(0.1, 1.5, 9)[:, None]
    x, one, ids = exp0(vectors), torch.ones((), dtype=torch.float64), np.arange(9) % 2
    theirs = hypll.diffgeom.expmap0(torch.as_tensor(vectors), one)
    np.testing.assert_allclose(x, theirs, rtol=1e-12)
    far = torch.as_tensor(10 * vectors)  # back from the rim
    np.testing.assert_allclose(exp0(far.numpy()), hypll.diffgeom.expmap0(far, one), rtol=1e-12)
    apart = hypll.diffgeom.cdist(theirs[:4][None], theirs[4:][None], one)[0]
    np.testing.assert_allclose(distances(x[:4], x[4:]), apart, rtol=1e-9)
    for c, m in enumerate(midpoints(x, ids, 2)):
        np.testing.assert_allclose(m, hypll.stats.midpoint(theirs[ids == c], one), rtol=1e-12)


# 1. closed forms: the score


def test_no_gain_where_both_are_right():
    labels = np.arange(30) % 3
    assert poincare_ncm_gain(embeddings=5 * np.eye(3)[labels], labels=labels) == 0


def test_gain_where_classes_differ_in_direction_and_images_in_length():
    z, labels = tree()
    assert poincare_ncm_gain(embeddings=z, labels=labels) > 0.02


def test_equally_near_means_share():
    # Two classes in the same two points: all means are equal, and half of the images right.
    labels, z = np.repeat([0, 1], 4), np.array([[1.0], [-1.0]] * 4)
    everything = np.ones(8, dtype=bool)
    assert n_right_flat(z, labels, everything, everything) == 4
    assert n_right_in_ball(exp0(z), labels, everything, everything) == 4


# 2. independent values


@pytest.mark.parametrize(
    ("z", "labels"),
    [tree(), tree(12, 1), data(n=60, d=8), data(n=20, d=40, classes=2, seed=1)],
    ids=["tree", "small tree", "normal", "wide"],
)
@pytest.mark.parametrize("folds", [3, 5])
def test_equals_the_slow_definition(z, labels, folds):
    value = poincare_ncm_gain(embeddings=z, labels=labels, folds=folds)
    assert value == pytest.approx(
        slow_gain(z, labels, folds, n_right_in_hyperboloid), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize(
    ("name", "z", "labels"), [("tree 120 × 6", *tree()), ("normal 60 × 8", *data(n=60, d=8))]
)
def test_equals_the_score_in_the_ball_of_hypll(parity, name, z, labels):
    expected = slow_gain(z, labels, 5, n_right_by_hypll)
    found = poincare_ncm_gain(embeddings=z, labels=labels, folds=5)
    parity.compare("expmap0, midpoint, cdist", "hypll 0.1.1", name, found, expected, 1e-9)


def test_flat_accuracy_equals_scikit_learn():
    z, labels = data(n=60, d=4, signal=0.5)
    split = StratifiedKFold(5, shuffle=True, random_state=0)
    theirs = cross_val_score(NearestCentroid(), z, labels, cv=split).mean()
    ours = 0.0
    for train, test in split.split(z, labels):
        masks = [np.isin(np.arange(60), part) for part in (train, test)]
        ours += n_right_flat(z, labels, *masks) / 60
    assert 0.4 < theirs < 1
    assert ours == pytest.approx(theirs, rel=1e-9)


# 3. symmetries


@settings(max_examples=8)  # each cross-validates six balls
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20))
def test_unchanged_by_rotation_shift_scale_and_class_names(seed, exponent):
    rng = np.random.default_rng(seed)
    z, labels = data(18, 4, 3, seed)
    moved = (z @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + rng.normal(size=4)) * 2.0**exponent
    # Folds are dealt out in the order in which classes occur, which no name changes.
    renamed = np.array([50, 3, 4])[labels]
    value = poincare_ncm_gain(embeddings=z, labels=labels, folds=3)
    assert -1 <= value <= 1
    again = poincare_ncm_gain(embeddings=moved, labels=renamed, folds=3)
    assert again == pytest.approx(value, rel=1e-9, abs=1e-12)


def test_another_seed_makes_other_folds():
    z, labels = tree()
    found = {poincare_ncm_gain(embeddings=z, labels=labels, seed=seed) for seed in range(4)}
    assert len(found) > 1


# 4. errors


def test_too_few_folds():
    z, labels = data()
    with pytest.raises(InputError, match="folds must be ≥ 3, to train, choose and test, but is 2"):
        poincare_ncm_gain(embeddings=z, labels=labels, folds=2)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but all 5 images"):
        poincare_ncm_gain(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_a_small_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="1 of 2 classes have fewer, the smallest 4"):
        poincare_ncm_gain(embeddings=np.eye(10), labels=np.array([0] * 6 + [1] * 4))


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_embeddings_at_their_mean_are_undefined(value):
    with pytest.raises(ScoreUndefinedError, match="half of the 12 embeddings"):
        poincare_ncm_gain(embeddings=np.full((12, 3), value), labels=np.arange(12) % 2)
    z = np.full((12, 3), value)
    z[0] += 1
    z[1] -= 1
    with pytest.raises(ScoreUndefinedError, match="half of the 12 embeddings"):
        poincare_ncm_gain(embeddings=z, labels=np.arange(12) % 2)
