"""The page of a score that was computed at several seeds, and of one that was not."""

from tests.report.pages.document import Table
from zoo_eval.report.pages.score import score_page


def test_several_seeds_have_a_table_and_each_model_its_deviation(zoo, links):
    text = score_page(zoo, "snip @init", links)
    seeds = Table(text, "seeds")
    assert seeds.column("τ_b between seeds") == ["0.714"]
    assert seeds.column("Models") == ["8"]
    values = Table(text, "values")
    deviations = dict(zip(values.column("Model"), values.column("sd"), strict=True))
    assert deviations["a_small"] == "1.414"  # of 1 and 3
    assert float(deviations["a_large"]) == 0  # of 2 and 2


def test_one_seed_has_neither(zoo, links):
    text = score_page(zoo, "dse", links)
    assert 'id="seeds"' not in text
    assert "sd" not in Table(text, "values").titles
