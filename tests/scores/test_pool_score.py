import numpy as np
import pytest

from zoo_eval.errors import InputError
from zoo_eval.scores import POOL_SCORES, SCORES, pool_score


@pool_score(unit="places", higher_is_better=True)
def ranks(dse, logme):
    """Sum of two ranks."""
    return np.argsort(np.argsort(dse)) + np.argsort(np.argsort(logme))


def test_one_value_per_model_that_has_every_part():
    assert ranks.parts == ("dse", "logme")
    values = ranks(dse=[1.0, np.nan, 3.0, 2.0], logme=[5.0, 9.0, 7.0, 6.0])
    np.testing.assert_array_equal(values, [0, np.nan, 4, 2])
    np.testing.assert_array_equal(ranks([1.0, 2.0], [4.0, 3.0]), [1, 1])


def test_no_model_has_every_part():
    assert np.isnan(ranks(dse=[np.nan, 1.0], logme=[1.0, np.nan])).all()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"dse": [1.0]}, "ranks needs dse, logme, but was given dse"),
        ({"dse": [1.0], "logme": [1.0], "nce": [1.0]}, "given dse, logme, nce"),
        ({"dse": [1.0], "logme": [1.0, 2.0]}, r"dse \(1,\), logme \(2,\)"),
    ],
)
def test_wrong_parts(parts, message):
    with pytest.raises(InputError, match=message):
        ranks(**parts)


def test_one_value_for_the_whole_pool_is_refused():
    @pool_score(unit="x", higher_is_better=None)
    def mean(dse):
        return dse.mean()

    with pytest.raises(InputError, match=r"each of 2 models, but returned an array of shape \(\)"):
        mean(dse=[1.0, np.nan, 3.0])


@pytest.mark.parametrize("name", sorted(POOL_SCORES))
def test_every_pool_score_says_what_a_reader_must_know(name):
    found = POOL_SCORES[name]
    assert found.summary.endswith((".", "?"))
    assert found.unit
    assert found.references
    assert "http" in (found.function.__doc__ or "")
    assert set(found.parts) <= SCORES.keys()
