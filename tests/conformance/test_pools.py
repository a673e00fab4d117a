"""The checks of pool scores see what is wrong."""

import numpy as np
import pytest

from tests.conformance.bad_scores import as_pool_score, failed
from zoo_eval.conformance import examine, inputs
from zoo_eval.conformance.pool_checks import POOLS
from zoo_eval.scores import SCORES


def ranks(dse, knn_accuracy):
    return np.argsort(np.argsort(dse)) + np.argsort(np.argsort(knn_accuracy)) * 1.0


def sums(dse, knn_accuracy):
    return dse + knn_accuracy


def test_a_good_pool_score_passes_all():
    findings = examine(as_pool_score(sums))
    assert not failed(findings)
    assert {f"pools.{pool}" for pool in POOLS} < {finding.name for finding in findings}


def scaled(dse, knn_accuracy):
    return (dse - dse.min()) / (dse.max() - dse.min())


def by_place(dse, knn_accuracy):
    return dse + np.arange(len(dse))


def the_best_only(dse, knn_accuracy):
    return dse[:1]


RNG = np.random.default_rng(0)


def noise(dse, knn_accuracy):
    return RNG.normal(size=len(dse))


def gaps(dse, knn_accuracy):
    return np.where(dse == dse.max(), np.nan, dse)


@pytest.mark.parametrize(
    ("function", "checks"),
    [
        (scaled, {"all_equal", "one_model"}),
        (by_place, {"order"}),
        (noise, {"order", "missing_part"}),
        (gaps, {"has_values"}),
    ],
)
def test_one_fault_fails_its_own_checks(function, checks):
    assert failed(examine(as_pool_score(function))) == {f"pools.{check}" for check in checks}


def test_one_value_each():
    assert {"pools.ordinary", "pools.order"} < failed(examine(as_pool_score(the_best_only)))


def test_parts_are_within_their_bounds():
    score = as_pool_score(sums)
    for pool in POOLS:
        for part, values in inputs(score, pool).items():
            low, high = SCORES[part].bounds
            assert ((values >= low) & (values <= high)).all()
    rising = inputs(score, "monotone")
    assert all((np.diff(values) > 0).all() for values in rising.values())
