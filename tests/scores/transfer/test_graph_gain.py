import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import Estimate, graph_gain
from zoo_eval.scores._episodes import directions, draw_episodes
from zoo_eval.scores.transfer.few_shot_accuracy import _episode_accuracies
from zoo_eval.scores.transfer.graph_gain import _accuracies, graph_step

EPISODES = {"ways": 4, "shots": 3, "queries": 5, "episodes": 60, "seed": 2}


def data(n=90, d=6, classes=6, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + rng.normal(size=(classes, d))[labels], labels


def slow_step(prototypes, weight):
    """One prototype after another."""
    moved = []
    for p in prototypes:
        near = [max(0.0, float(p @ q)) for q in prototypes]
        shares = [a / (sum(near) + 1e-8) for a in near]
        moved.append(p + weight * sum(s * q for s, q in zip(shares, prototypes, strict=True)))
    return np.array(moved)


def slow_right(prototypes, queries):
    unit = prototypes / np.linalg.norm(prototypes, axis=1, keepdims=True)
    return np.mean([np.argmax(unit @ q) == c for c, some in enumerate(queries) for q in some])


# 1. closed forms


def test_orthogonal_prototypes_only_grow():
    prototypes = np.eye(5)[None, :3]
    np.testing.assert_allclose(graph_step(prototypes, 0.1), 1.1 * prototypes, rtol=1e-7)


def test_opposite_prototypes_do_not_see_each_other():
    prototypes = np.array([[[1.0, 0.0], [-1.0, 0.0]]])
    np.testing.assert_allclose(graph_step(prototypes, 0.5), 1.5 * prototypes, rtol=1e-7)


def test_two_prototypes_move_alike_towards_each_other():
    c = 0.6
    prototypes = np.array([[[1.0, 0.0], [c, np.sqrt(1 - c**2)]]])
    found = graph_step(prototypes, 0.2)[0]
    expected = prototypes[0] + 0.2 / (1 + c) * (prototypes[0] + c * prototypes[0][::-1])
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_nothing_is_gained_with_two_ways_or_without_weight():
    z, labels = data()
    for options in ({"ways": 2}, {"weight": 0.0}):
        found = graph_gain(z, labels, episodes=50, **options)
        assert (found, found.low, found.high) == (0, 0, 0)


# 2. independent values


@pytest.mark.parametrize("weight", [0.1, 1.0, 5.0])
def test_equals_the_slow_definition(weight):
    z, labels = data()
    unit = directions(z)
    gains = []
    for images in draw_episodes(labels, unit.shape[1], **EPISODES):
        for episode in unit[images]:
            means = episode[:, :3].mean(axis=1)
            means = means / np.linalg.norm(means, axis=1, keepdims=True)
            stepped = slow_right(slow_step(means, weight), episode[:, 3:])
            gains.append(stepped - slow_right(means, episode[:, 3:]))
    found = graph_gain(z, labels, weight=weight, **EPISODES)
    assert found == pytest.approx(np.mean(gains), rel=1e-9, abs=1e-12)
    assert isinstance(found, Estimate)
    assert np.any(np.array(gains) != 0) or weight == 0.1


def test_without_the_graph_one_shot_is_few_shot_accuracy():
    z = directions(data()[0])
    episodes = z[np.arange(80).reshape(4, 5, 4)]
    plain = _accuracies(episodes[:, :, 0], episodes[:, :, 1:])
    np.testing.assert_allclose(plain, _episode_accuracies(episodes, 1), rtol=1e-12)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20))
def test_unchanged_by_rotation_shift_and_scale(seed, exponent):
    rng = np.random.default_rng(seed)
    z, labels = data(30, 4, 3, seed)
    moved = (z @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + rng.normal(size=4)) * 2.0**exponent
    options = {"ways": 3, "weight": 1.0, "episodes": 20, "seed": seed}
    found = graph_gain(z, labels, **options)
    assert graph_gain(moved, labels * 7 + 3, **options) == pytest.approx(found, abs=1e-12)


# 4. errors


def test_errors():
    z, labels = data(classes=4)
    with pytest.raises(ScoreUndefinedError, match=r"need 5 classes .*, but 4 of 4"):
        graph_gain(z, labels)
    with pytest.raises(InputError, match="shots must be ≥ 1, but is 0"):
        graph_gain(z, labels, shots=0)
