import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.scores import POOL_SCORES, etran, etran_classification, etran_energy

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


def slow_etran(energy, classification):
    """Model by model."""

    def scaled(part, i):
        return (part[i] - min(part)) / (max(part) - min(part))

    return [0.15 * scaled(energy, i) + 0.85 * scaled(classification, i) for i in range(len(energy))]


# 1. closed forms


def test_best_and_worst():
    values = etran([-2.0, 6.0, 0.0], [0.5, 0.5, 0.7])
    np.testing.assert_allclose(values, [0, 0.15, 0.25 * 0.15 + 0.85], rtol=1e-12)


def test_a_part_that_is_equal_in_all_models_counts_nothing():
    # The official code divides 0 by 0 here.
    np.testing.assert_array_equal(etran([4.0, 4.0], [0.1, 0.2]), [0, 0.85])
    np.testing.assert_array_equal(etran([4.0, 4.0], [1.0, 1 - 1e-15]), [0, 0])
    np.testing.assert_array_equal(etran([4.0], [0.3]), [0])


# 2. independent values


def test_equals_the_definition_model_by_model(reference_embeddings):
    pool = [reference_embeddings(c) for c in ("n_lt_d", "mean_offset", "weak_powerlaw")]
    energy = [etran_energy(logits=m.logits, embeddings=m.embeddings) for m in pool]
    classification = [etran_classification(embeddings=m.embeddings, labels=m.labels) for m in pool]
    expected = slow_etran(energy, classification)
    np.testing.assert_allclose(etran(energy, classification), expected, rtol=1e-12)


# 3. symmetries


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_order_unit_and_bounds(models, seed):
    parts = np.array(models).T
    values = etran(*parts)
    low, high = POOL_SCORES["etran"].bounds
    assert np.all((low <= values) & (values <= high))
    order = np.random.default_rng(seed).permutation(len(models))
    np.testing.assert_array_equal(etran(*parts[:, order]), values[order])
    np.testing.assert_allclose(etran(*(8 * parts)), values, rtol=0, atol=1e-12)
