"""Powers of the weights of distinct values, against a loop over the values."""

import numpy as np
import pytest

from zoo_eval.correlation import family_resamples, value_weights
from zoo_eval.correlation.value_weights import ValueWeights


@pytest.mark.parametrize("power", [2, 3])
@pytest.mark.parametrize("decimals", [0, 1, 9], ids=["many ties", "some ties", "no ties"])
@pytest.mark.parametrize("families_at_a_time", [3, 256])
def test_the_sum_is_that_of_a_loop_over_values(decimals, power, families_at_a_time, monkeypatch):
    monkeypatch.setattr(value_weights, "_STRIP", families_at_a_time)
    rng = np.random.default_rng(decimals)
    x = rng.normal(size=60).round(decimals)
    resamples = family_resamples(rng.integers(0, 7, size=60).tolist(), 20, seed=1)
    weights = resamples.by_family[resamples.families]
    expected = sum(weights[x == value].sum(axis=0) ** power for value in set(x))
    np.testing.assert_array_equal(ValueWeights(resamples, power)(x), expected)


def test_a_constant_has_the_weight_of_all():
    resamples = family_resamples(list(range(5)), 20, seed=0)
    assert ValueWeights(resamples, 2)(np.ones(5)).tolist() == [25.0] * 20
