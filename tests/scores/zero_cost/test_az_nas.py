import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.scores import az_nas


def test_closed_form():
    """Ranks 1…4 in every part: 4 ln(rank / 4)."""
    part = np.array([3.0, 1.0, 4.0, 2.0])
    np.testing.assert_allclose(az_nas(part, part, part, part), 4 * np.log([0.75, 0.25, 1.0, 0.5]))


def test_by_hand_with_ties():
    found = az_nas([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [5.0, 5.0, 5.0], [1.0, 1.0, 2.0])
    ranks = np.array([[1, 2, 3], [3, 2, 1], [2, 2, 2], [1.5, 1.5, 3]])
    np.testing.assert_allclose(found, np.log(ranks / 3).sum(axis=0), rtol=1e-12)


@given(st.lists(st.tuples(*[st.integers(-5, 5)] * 4), min_size=1, max_size=8), st.randoms())
def test_order_of_models_and_monotone_maps(rows, random):
    parts = np.array(rows, dtype=float).T
    found = az_nas(*parts)
    assert (found <= 0).all()
    order = list(range(len(rows)))
    random.shuffle(order)
    np.testing.assert_allclose(az_nas(*parts[:, order]), found[order], atol=1e-12)
    np.testing.assert_allclose(az_nas(*np.exp(parts / 3)), found, atol=1e-12)


def test_a_model_without_a_part_is_not_in_the_pool():
    found = az_nas([1.0, np.nan, 2.0], [1.0, 9.0, 2.0], [1.0, 9.0, 2.0], [1.0, 9.0, 2.0])
    assert found == pytest.approx([4 * np.log(0.5), np.nan, 0.0], nan_ok=True)
