import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import Estimate, _episodes, few_shot_accuracy
from zoo_eval.scores._episodes import subsets
from zoo_eval.scores._student import mean_with_interval
from zoo_eval.scores.transfer import few_shot_accuracy as module


def data(n=90, d=6, classes=6, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_few_shot(z, labels, ways, shots, queries, episodes, seed):
    """Episode by episode, with other draws: mean accuracy of each."""
    z = z - z.mean(axis=0)
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    rng = np.random.default_rng(seed)
    accuracies = []
    for _ in range(episodes):
        classes = rng.choice(np.unique(labels), ways, replace=False)
        drawn = [rng.choice(np.flatnonzero(labels == c), shots + queries, False) for c in classes]
        means = [z[images[:shots]].mean(axis=0) for images in drawn]
        right = [
            np.argmin([np.linalg.norm(z[i] - mean) for mean in means]) == c
            for c, images in enumerate(drawn)
            for i in images[shots:]
        ]
        accuracies.append(np.mean(right))
    return np.array(accuracies)


# 1. closed forms


def test_separated_classes_are_all_right():
    labels = np.arange(60) % 6
    found = few_shot_accuracy(np.eye(6)[labels], labels)
    assert (found, found.low, found.high) == (1, 1, 1)


@pytest.mark.parametrize("value", [0.0, 0.1])
@pytest.mark.parametrize("ways", [2, 4])
def test_equal_embeddings_are_chance(ways, value):
    found = few_shot_accuracy(np.full((40, 3), value), np.arange(40) % 4, ways=ways, episodes=9)
    assert (found, found.low, found.high) == (1 / ways, 1 / ways, 1 / ways)


def test_two_poles_shared_by_two_classes_each():
    # Four classes at two poles: a tie of two right guesses whenever both classes of a pole are
    # drawn, which with 4 ways is always.
    labels = np.arange(80) % 4
    z = np.where(labels < 2, 1.0, -1.0)[:, None]
    assert few_shot_accuracy(z, labels, ways=4) == 0.5
    # With 2 of the 4: the same pole in 1 of 3 episodes.
    found = few_shot_accuracy(z, labels, ways=2, episodes=3000)
    assert found.low < 1 - 1 / 6 < found.high
    assert found.high - found.low < 0.02


# 2. independent values


@pytest.mark.parametrize(("ways", "shots", "queries"), [(5, 1, 5), (5, 5, 3), (2, 3, 1)])
def test_equals_the_slow_definition_in_the_mean(ways, shots, queries):
    z, labels = data()
    found = few_shot_accuracy(z, labels, ways=ways, shots=shots, queries=queries)
    slow = slow_few_shot(z, labels, ways, shots, queries, 300, seed=1)
    # Two means of independent draws: 4 standard errors.
    errors = [(found.high - found.low) / 2 / 1.96, slow.std(ddof=1) / np.sqrt(len(slow))]
    assert abs(found - slow.mean()) < 4 * np.hypot(*errors)
    assert errors[0] < 0.01


def test_an_episode_equals_the_slow_definition():
    rng = np.random.default_rng(3)
    z = rng.normal(size=(40, 3, 5, 4))  # episodes, ways, images, features
    expected = []
    for episode in z:
        means = episode[:, :2].mean(axis=1)
        right = [
            np.argmin(np.linalg.norm(query - means, axis=1)) == c
            for c in range(3)
            for query in episode[c, 2:]
        ]
        expected.append(np.mean(right))
    np.testing.assert_allclose(module._episode_accuracies(z, 2), expected, rtol=1e-12)


def test_the_interval_is_students():
    accuracies = np.random.default_rng(0).uniform(size=12)
    found = mean_with_interval(accuracies, (0.0, 1.0))
    interval = ttest_1samp(accuracies, 0).confidence_interval(0.95)
    assert isinstance(found, Estimate)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-12)


def test_every_subset_in_every_order_is_equally_likely():
    rng = np.random.default_rng(0)
    drawn = subsets(rng, np.full(12000, 4), 2)
    _, counts = np.unique(drawn[:, 0] * 4 + drawn[:, 1], return_counts=True)
    assert len(counts) == 12  # 4 · 3 ordered pairs, never the same twice
    # 1,000 expected of each, standard deviation 30
    assert np.all(np.abs(counts - 1000) < 140)
    mixed = subsets(rng, np.array([2, 5, 9] * 50), 2)
    assert np.all(mixed < np.array([2, 5, 9] * 50)[:, None])
    assert mixed[2::3].max() == 8


def test_memory_does_not_change_the_kind_of_result(monkeypatch):
    z, labels = data()
    found = few_shot_accuracy(z, labels, episodes=400)
    monkeypatch.setattr(_episodes, "_CHUNK", 2000)
    other = few_shot_accuracy(z, labels, episodes=400)
    assert other.low < found.high
    assert found.low < other.high


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), shots=st.integers(1, 3))
def test_unchanged_by_rotation_shift_and_scale(seed, exponent, shots):
    rng = np.random.default_rng(seed)
    z, labels = data(30, 4, 3, seed)
    moved = (z @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + rng.normal(size=4)) * 2.0**exponent
    options = {"ways": 3, "shots": shots, "episodes": 20, "seed": seed}
    found = few_shot_accuracy(z, labels, **options)
    other = few_shot_accuracy(moved, labels, **options)
    assert other == pytest.approx(found, rel=1e-12)
    assert (other.low, other.high) == pytest.approx((found.low, found.high), abs=1e-12)


def test_unchanged_by_class_names_that_keep_their_order():
    z, labels = data()
    assert few_shot_accuracy(z, labels * 7 + 3) == few_shot_accuracy(z, labels)


def test_the_seed_makes_the_draws():
    z, labels = data()
    np.random.seed(1)  # noqa: NPY002  # the global generator, which must not matter
    found = few_shot_accuracy(z, labels)
    np.random.seed(2)  # noqa: NPY002
    assert few_shot_accuracy(z, labels) == found
    assert few_shot_accuracy(z, labels, seed=1) != found


def test_the_interval_reaches_a_caller_by_keyword():
    z, labels = data()
    found = few_shot_accuracy(embeddings=z, labels=labels)
    assert isinstance(found, Estimate)
    assert 0 <= found.low < found < found.high <= 1


def test_small_classes_take_no_part():
    z, labels = data(36, classes=6)
    z, labels = np.vstack([z, np.ones((5, 6))]), np.append(labels, [6] * 5)
    assert few_shot_accuracy(z, labels, ways=6) > 0
    with pytest.raises(ScoreUndefinedError, match="6 of 7 have so many"):
        few_shot_accuracy(z, labels, ways=7)
    assert few_shot_accuracy(z, labels, ways=7, queries=4) > 0


# 4. errors


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [("ways", 1, 2), ("shots", 0, 1), ("queries", 0, 1), ("episodes", 1, 2)],
)
def test_options_that_are_too_small(option, value, least):
    z, labels = data()
    with pytest.raises(InputError, match=f"{option} must be ≥ {least}, but is {value}"):
        few_shot_accuracy(z, labels, **{option: value})


def test_too_few_classes_are_undefined():
    z, labels = data(classes=4)
    with pytest.raises(ScoreUndefinedError, match=r"need 5 classes .*, but 4 of 4 .* has 23"):
        few_shot_accuracy(z, labels)


def test_too_small_classes_are_undefined():
    z, labels = data()
    with pytest.raises(ScoreUndefinedError, match=r"with 11 \+ 5 images, but 0 of 6 .* has 15"):
        few_shot_accuracy(z, labels, shots=11)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        few_shot_accuracy(np.eye(5), np.zeros(5, dtype=np.int64))
