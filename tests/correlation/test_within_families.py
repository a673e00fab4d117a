"""Correlation within families, against loops over families and over pairs."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from zoo_eval.correlation import family_resamples, spearman_rho, within_families


def written_out(frame, families, drawn=None):
    """ρ and τ from the definition; `drawn` lists families, some of them several times."""
    ranks, pairs = [], []
    for name in families.unique() if drawn is None else drawn:
        x, y = frame[families == name].to_numpy().T
        if len(x) < 2:
            continue
        ranks.append([(stats.rankdata(v) - (len(v) + 1) / 2) / len(v) for v in (x, y)])
        i, j = np.triu_indices(len(x), 1)
        pairs.append([np.sign(v[i] - v[j]) for v in (x, y)])
    found = []
    for parts in (ranks, pairs):
        a, b = np.concatenate(parts, axis=1)
        found.append((a @ b) / math.sqrt((a @ a) * (b @ b)))
    return found


def test_point_values_and_intervals_are_those_of_the_definition(small_zoo):
    small_zoo["families"] = small_zoo["families"].replace({"family1": "family0"})
    small_zoo["families"]["net2"] = "alone"
    table = within_families(**small_zoo, resamples=40, seed=2)
    for name, row in table.iterrows():
        columns = [small_zoo["scores_wide"][name], small_zoo["truth"]]
        frame = pd.concat(columns, axis=1).dropna()
        family = small_zoo["families"][frame.index]
        frame = frame[family.map(family.value_counts()) > 1]
        family = family[frame.index]
        assert (row["n"], row["families"]) == (len(frame), family.nunique())
        rho, tau = written_out(frame, family)
        assert row["rho"] == pytest.approx(rho, rel=1e-9)
        assert row["tau"] == pytest.approx(tau, rel=1e-9)
        counts = family_resamples(family.tolist(), 40, seed=2).counts.astype(int)
        draws = [np.repeat(family.unique(), c) for c in counts]
        values = np.array([written_out(frame, family, draw) for draw in draws])
        expected = np.quantile(values, [0.025, 0.975], axis=0)
        np.testing.assert_allclose(
            row[["rho_low", "rho_high", "tau_low", "tau_high"]].to_numpy(float),
            expected.T.ravel(),
            rtol=1e-9,
        )


@given(st.integers(0, 10_000))
def test_what_lies_between_families_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    models = pd.RangeIndex(24)
    families = pd.Series(models % 4, models)
    x, y = rng.integers(0, 9, size=(2, 24)).astype(float)
    shift = families * 100.0
    plain = within_families(pd.DataFrame({"s": x}), pd.Series(y), families, resamples=20)
    moved = within_families(
        pd.DataFrame({"s": -(x + shift)}), pd.Series(np.exp(y - 10)) - shift, families, resamples=20
    )
    assert moved.loc["s", "rho"] == pytest.approx(-plain.loc["s", "rho"], rel=1e-9, abs=1e-12)
    assert moved.loc["s", "tau"] == pytest.approx(-plain.loc["s", "tau"], rel=1e-9, abs=1e-12)
    assert abs(plain.loc["s", "rho"]) <= 1 + 1e-12


def test_one_family_is_the_plain_correlation_without_an_interval(small_zoo):
    small_zoo["families"][:] = "resnet"
    row = within_families(**small_zoo).loc["reversed"]
    x = small_zoo["scores_wide"]["reversed"].reindex(small_zoo["truth"].index)
    assert row["rho"] == pytest.approx(spearman_rho(x.to_numpy(), small_zoo["truth"].to_numpy()))
    assert math.isnan(row["rho_low"])
    assert row["undefined_because"] == "no interval: all 38 models are of one family"


def test_what_is_undefined_says_why(small_zoo):
    scores = small_zoo["scores_wide"]
    scores["constant"] = 1.0
    scores["by family"] = small_zoo["families"].str[-1].astype(float)
    table = within_families(**small_zoo, resamples=20)
    why = table["undefined_because"]
    assert why["constant"] == "the score is 1 for all 38 models"
    assert why["by family"] == "score or accuracy is constant within every family"
    assert why["good"] == ""
    assert table.loc[["constant", "by family"], ["rho", "tau", "rho_low"]].isna().all(axis=None)
    alone = within_families(**{**small_zoo, "families": pd.Series(dtype=object)})
    assert (alone["n"] == 0).all()
    assert (alone["undefined_because"] == "no family has two models with the score").all()
