"""Lines for many scores at once, against each statistic asked for by itself."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zoo_eval.correlation import compare, family_resamples, partial_spearman
from zoo_eval.correlation.aligned import Truth
from zoo_eval.correlation.rows import rows_of

N = 30
MODELS = pd.Index([f"net{i}" for i in range(N)])


@pytest.fixture
def known():
    values = np.random.default_rng(0).uniform(0.5, 0.9, N).round(2)
    return Truth(MODELS, values, [f"family{i % 6}" for i in range(N)])


@pytest.fixture
def columns(known):
    """Ties, a reversed order, an infinity; all without the last three models."""
    noise = np.random.default_rng(1).normal(size=(3, N))
    columns = {
        "tied": (known.values + 0.1 * noise[0]).round(1),
        "reversed": -known.values + 0.05 * noise[1],
        "infinite": noise[2],
    }
    columns["infinite"][4] = np.inf
    for column in columns.values():
        column[-3:] = np.nan
    return columns


@pytest.fixture
def control():
    sizes = np.random.default_rng(2).lognormal(size=N)
    sizes[:2] = np.nan
    return sizes


def test_each_line_is_that_of_scipy_on_the_models_that_have_the_score(columns, known, control):
    rows = rows_of(columns, known, control, None, 30, 0)
    y = known.values[:-3]
    for name, row in rows.items():
        x = columns[name][:-3]
        rho = stats.spearmanr(x, y)
        assert (row.n, row.coverage) == (27, 0.9)
        assert row.spearman_rho == pytest.approx(rho.statistic, rel=1e-12)
        assert row.p_value == pytest.approx(rho.pvalue, rel=1e-9)
        assert row.kendall_tau == pytest.approx(stats.kendalltau(x, y).statistic, rel=1e-12)
        if name != "infinite":
            assert row.pearson_r == pytest.approx(stats.pearsonr(x, y).statistic, rel=1e-9)
        assert row.weighted_tau == pytest.approx(stats.weightedtau(x, y).statistic, rel=1e-9)
        partial = partial_spearman(x[2:], y[2:], control[2:-3, None])
        assert row.partial_rho == pytest.approx(partial, rel=1e-9)
        assert math.isnan(row.difference)


def test_each_interval_is_that_of_repeated_data(columns, known, control):
    rows = rows_of(columns, known, control, None, 30, 3)
    y = known.values[:-3]
    drawn = family_resamples(known.families[:-3], 30, 3)
    weights = drawn.by_family[drawn.families].astype(int)
    for name, row in rows.items():
        x = columns[name][:-3]
        repeated = [(np.repeat(x, w), np.repeat(y, w)) for w in weights.T]
        for statistic, ends in (
            (stats.spearmanr, (row.spearman_low, row.spearman_high)),
            (stats.kendalltau, (row.kendall_low, row.kendall_high)),
        ):
            values = [statistic(*pair).statistic for pair in repeated]
            np.testing.assert_allclose(ends, np.quantile(values, [0.025, 0.975]), rtol=1e-9)


def test_the_difference_is_that_of_compare(columns, known, control):
    baseline = known.values + 0.2 * np.random.default_rng(5).normal(size=N)
    truth, families = pd.Series(known.values, MODELS), pd.Series(list(known.families), MODELS)
    rows = rows_of(columns, known, control, baseline, 30, 0)
    for name, row in rows.items():
        pair = pd.Series(columns[name], MODELS), pd.Series(baseline, MODELS)
        found = compare(*pair, truth, families, 30, 0)
        ours = (row.difference, row.difference_low, row.difference_high)
        assert ours == (found.difference, found.low, found.high)
    baseline[0] = np.nan
    rows = rows_of(columns, known, control, baseline, 30, 0)
    assert all(math.isnan(row.difference) for row in rows.values())


def test_one_score_of_many_has_the_line_that_it_has_alone(columns, known, control):
    columns["constant"] = np.where(np.isnan(columns["tied"]), np.nan, 1.0)
    together = rows_of(columns, known, control, None, 30, 0)
    for name, column in columns.items():
        alone = rows_of({name: column}, known, control, None, 30, 0)[name]
        assert together[name].undefined_because == alone.undefined_because
        for field in ("spearman_rho", "spearman_low", "kendall_high", "weighted_tau"):
            np.testing.assert_equal(getattr(together[name], field), getattr(alone, field))
        assert together[name].partial_rho == pytest.approx(alone.partial_rho, nan_ok=True)
    assert together["constant"].undefined_because == "the score is 1 for all 27 models"
