"""Soft neighbours against votes that are counted one by one."""

import numpy as np
import pytest

from zoo_eval.ranking import neighbours
from zoo_eval.ranking.neighbours import neighbour_log_likelihood

RANDOM = np.random.default_rng(0)


def by_hand(z: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    points = [x / np.linalg.norm(x) for x in z]
    n = len(z)
    d = [[((points[i] - points[j]) ** 2).sum() for j in range(n) if j != i] for i in range(n)]
    unit = np.median([sorted(row)[4] for row in d])
    others = [[labels[j] for j in range(n) if j != i] for i in range(n)]
    found = []
    for width in 2.0 ** np.arange(-4.0, 3.5, 0.5):
        shares = []
        for i in range(n):
            votes = [np.exp(-x / (width * unit)) for x in d[i]]
            own = sum(v for v, c in zip(votes, others[i], strict=True) if c == labels[i])
            shares.append(own / sum(votes))
        for doubt in (0.01, 0.03, 0.1, 0.3):
            found.append(np.log((1 - doubt) * np.array(shares) + doubt / n_classes))
    return max(found, key=np.sum)


def test_as_counted_one_by_one():
    labels = np.arange(24) % 3
    z = RANDOM.normal(size=(3, 5))[labels] + 0.8 * RANDOM.normal(size=(24, 5))
    found = neighbour_log_likelihood(z, labels, 3)
    np.testing.assert_allclose(found, by_hand(z, labels, 3), rtol=1e-9)


def test_many_images_are_looked_at_in_pieces(monkeypatch):
    angles = 2 * np.pi * np.arange(40) / 40  # all have their neighbours equally near
    z, labels = np.stack([np.cos(angles), np.sin(angles)], axis=1), np.arange(40) // 10
    monkeypatch.setattr(neighbours, "_WIDTHS", np.array([1.0]))
    monkeypatch.setattr(neighbours, "_DOUBTS", (0.1,))
    whole = neighbour_log_likelihood(z, labels, 4)
    monkeypatch.setattr(neighbours, "_MOST_PAIRS", 30 * 40)  # 30 images, then 10
    pieces = neighbour_log_likelihood(z, labels, 4)
    np.testing.assert_allclose(pieces, whole, rtol=1e-9)
    assert whole.std() > 0.1


@pytest.mark.parametrize("z", [np.ones((10, 3)), np.zeros((10, 3))])
def test_images_that_are_all_alike_say_nothing(z):
    found = neighbour_log_likelihood(z, np.arange(10) % 2, 2)
    # Of the nine others four are of the own class, and the largest doubt is the best.
    np.testing.assert_allclose(found, np.log(0.7 * 4 / 9 + 0.3 / 2))


def test_clear_classes_are_nearly_certain():
    labels = np.arange(20) % 2
    found = neighbour_log_likelihood(np.eye(2)[labels], labels, 2)
    np.testing.assert_allclose(found, np.log(0.99 + 0.01 / 2))


def test_two_images():
    found = neighbour_log_likelihood(np.eye(2), np.array([0, 1]), 2)
    np.testing.assert_allclose(found, np.log(0.3 / 2))
