import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.scores import POOL_SCORES, ncti, ncti_ncc, ncti_seli, ncti_vc

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


def slow_ncti(seli, ncc, vc):
    """Model by model."""

    def scaled(part, i):
        return (part[i] - min(part)) / (max(part) - min(part))

    return [scaled(seli, i) + scaled(ncc, i) - scaled(vc, i) for i in range(len(seli))]


# 1. closed forms


def test_best_and_worst_in_everything():
    values = ncti([1.0, 5.0, 3.0], [0.2, 0.9, 0.9], [7.0, 2.0, 4.5])
    np.testing.assert_allclose(values, [-1, 2, 1], rtol=1e-12)


def test_a_part_that_is_equal_in_all_models_counts_nothing():
    # The official code divides 0 by 0 here.
    np.testing.assert_array_equal(ncti([4.0, 4.0], [0.1, 0.2], [3.0, 3.0]), [0, 1])
    np.testing.assert_array_equal(ncti([4.0, 4.0], [0.3, 0.3], [0.0, 0.0]), [0, 0])
    np.testing.assert_array_equal(ncti([4.0], [0.3], [3.0]), [0])


def test_rounding_does_not_order_models():
    np.testing.assert_array_equal(ncti([4.0, 4.0], [1.0, 1 - 1e-15], [3.0, 3.0]), [0, 0])


def test_models_without_a_part_do_not_count():
    values = ncti([1.0, 900.0, 3.0], [0.2, 0.9, 0.9], [7.0, np.nan, 4.5])
    np.testing.assert_array_equal(values, [-1, np.nan, 2])


# 2. independent values


def test_equals_the_definition_model_by_model(reference_embeddings):
    pool = [reference_embeddings(c)[:2] for c in ("n_lt_d", "mean_offset", "weak_powerlaw")]
    parts = [[s(embeddings=z, labels=y) for z, y in pool] for s in (ncti_seli, ncti_ncc, ncti_vc)]
    np.testing.assert_allclose(ncti(*parts), slow_ncti(*parts), rtol=1e-12)


# 3. symmetries


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=6),
    st.integers(0, 2**32 - 1),
)
def test_order_unit_and_bounds(models, seed):
    parts = np.array(models).T
    values = ncti(*parts)
    low, high = POOL_SCORES["ncti"].bounds
    assert np.all((low <= values) & (values <= high))
    order = np.random.default_rng(seed).permutation(len(models))
    np.testing.assert_array_equal(ncti(*parts[:, order]), values[order])
    np.testing.assert_allclose(ncti(*(8 * parts)), values, rtol=0, atol=1e-12)
