"""Scores that are computed when the report is made."""

import numpy as np
import pytest

from zoo_eval.report import collect, findings
from zoo_eval.scores import pool_score


@pool_score(unit="z", higher_is_better=True)
def contrast(snip, activations):
    """Share of the largest value in the pool, of one score less that of the other."""
    return snip / snip.max() - activations / activations.max()


@pool_score(unit="z", higher_is_better=True)
def unavailable(snip, grasp):
    """Grasp is not in the store."""
    raise AssertionError("has a part that nobody computed")


@pytest.fixture
def pooled(store):
    return collect(store, store.DEFAULTS, {"contrast": contrast, "unavailable": unavailable})


def test_one_column_for_each_kind_of_weights_that_a_part_has(pooled):
    assert pooled.scores.columns[-2:].tolist() == [
        "contrast (pool) @init",
        "contrast (pool) @init-neutral",
    ]
    assert not any("unavailable" in label for label in pooled.scores.columns)


def test_computed_over_the_models_that_have_every_part(pooled):
    parts = pooled.scores[["snip @init", "activations"]]
    complete = parts.notna().all(axis=1)
    assert 2 <= complete.sum() < len(complete)
    assert pooled.scores["contrast (pool) @init"].notna().equals(complete)
    shares = parts[complete] / parts[complete].max()
    expected = shares["snip @init"] - shares["activations"]
    found = pooled.scores.loc[complete, "contrast (pool) @init"]
    np.testing.assert_array_equal(found, expected)


def test_a_pool_score_is_judged_like_any_other(pooled):
    found = findings(pooled, resamples=20)
    row = found.correlations.loc["contrast (pool) @init"]
    assert np.isfinite(row["spearman_rho"])
    assert row["seconds"] >= pooled.columns.loc["snip @init", "seconds"]
