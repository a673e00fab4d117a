"""The best pair, on made-up probabilities whose right answer is known."""

from itertools import combinations

import numpy as np
import pytest

from zoo_eval.errors import ProbeError
from zoo_eval.ranking.takeaway.ensemble import best_pair
from zoo_eval.ranking.takeaway.probe import FittedProbe, Probe

N = 600
LABELS = np.arange(N) % 3


def fitted(left_out: np.ndarray, labels: np.ndarray = LABELS) -> FittedProbe:
    probe = Probe(np.zeros((left_out.shape[1], 2)), np.zeros(left_out.shape[1]), ("a", "b", "c"))
    return FittedProbe(probe, 1.0, 1.0, left_out, labels)


def knowing(places: np.ndarray, seed: int = 0, sure: float = 0.8) -> FittedProbe:
    """Right and sure of itself on these images; guesses on the others, and says so."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet([50, 50, 50], N)
    probabilities[places] = (1 - sure) / 2
    probabilities[places, LABELS[places]] = sure
    return fitted(probabilities)


def test_two_that_know_different_things_are_taken_before_two_that_know_the_same():
    half = np.arange(N) < 400
    zoo = {
        "first": knowing(np.flatnonzero(half), 1),
        "its twin": knowing(np.flatnonzero(half), 2),
        "other half": knowing(np.flatnonzero(~half), 3),
    }
    pair = best_pair(zoo)
    assert set(pair.models) > {"other half"}
    assert pair.models[1] == "other half"
    assert pair.accuracy == 1.0
    assert pair.either_right == 1.0
    assert pair.best_alone in ("first", "its twin")
    assert pair.accuracy_alone == pytest.approx(7 / 9, abs=0.05)
    assert pair.gain == pytest.approx(pair.accuracy - pair.accuracy_alone, abs=0.02)
    assert 0.15 < pair.low < pair.gain < pair.high < 0.3


def test_no_pair_gains_where_all_know_the_same():
    zoo = {name: knowing(np.arange(400), 5) for name in "abc"}
    pair = best_pair(zoo)
    assert pair.gain == 0
    assert pair.low < 0 < pair.high


def test_the_gain_of_the_luckiest_pair_is_not_its_own():
    """Networks that guess: the best of 45 pairs looks better than the best of 10, but is not."""
    seen, gains, covered = [], [], 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        zoo = {f"m{k}": fitted(rng.dirichlet([1, 1, 1], N)) for k in range(10)}
        pair = best_pair(zoo)
        seen.append(pair.accuracy - pair.accuracy_alone)
        gains.append(pair.gain)
        covered += pair.low <= 0 <= pair.high
    assert np.mean(seen) > 0.008
    assert abs(np.mean(gains)) < 0.008  # its standard error is 0.004
    assert covered >= 34  # of 40; fewer with probability 0.001, were it 95 %


def test_the_pair_is_the_best_of_all_on_all_images():
    rng = np.random.default_rng(3)
    zoo = {f"m{k}": fitted(rng.dirichlet([1, 1, 1], N)) for k in range(6)}
    pair = best_pair(zoo)

    def accuracy(*models: str) -> float:
        mean = np.mean([zoo[model].left_out for model in models], axis=0)
        return float((mean.argmax(axis=1) == LABELS).mean())

    assert pair.accuracy == accuracy(*pair.models)
    assert pair.accuracy == max(accuracy(*two) for two in combinations(zoo, 2))
    assert pair.accuracy_alone == max(accuracy(model) for model in zoo)


def test_what_is_no_pair():
    one = knowing(np.arange(9))
    with pytest.raises(ProbeError, match="takes two networks, but there are 1"):
        best_pair({"a": one})
    with pytest.raises(ProbeError, match="their labels differ"):
        best_pair({"a": one, "b": fitted(one.left_out, LABELS[::-1].copy())})
    few = fitted(np.full((4, 3), 1 / 3), np.array([0, 0, 1, 2]))
    with pytest.raises(ProbeError, match="two of each class"):
        best_pair({"a": few, "b": few})
