"""Every score on one member of each of timm's families: a value or a reason, never a failure."""

import pytest

import zoo_eval
from benchmarks.coverage import families, write_job
from zoo_eval.scores import SCORES


@pytest.mark.slow
def test_every_score_on_every_family_of_timm(tmp_path):
    lines = families()
    store = zoo_eval.Store(tmp_path / "coverage.duckdb")
    summary = zoo_eval.run(write_job(tmp_path, lines), store)
    assert summary.n_failed == 0, store.failures()[["model", "message"]].to_string()
    stored = store.scores()
    assert len(lines) > 80
    covered = [name for name, score in SCORES.items() if score.group != "robustness"]
    assert len(stored) == len(lines) * len(covered)
    assert (stored["value"].isna() == stored["undefined_because"].notna()).all()
    # Where a whole score had no value anywhere, it would not be covered at all.
    assert stored.groupby("score")["value"].count().min() >= 5
