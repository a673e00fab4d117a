"""Models that nothing beats: against the definition, on many small zoos with ties."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.pages.document import Table
from zoo_eval.report.pages.leaderboard import ask, leaderboard_page
from zoo_eval.report.pages.pareto import front, fronts

few = st.integers(0, 4).map(float)


@settings(deadline=None)
@given(st.lists(st.tuples(few, few), min_size=1, max_size=12))
def test_the_front_is_what_no_other_dominates(models):
    cost, accuracy = np.array(models).T
    expected = [
        not any((c <= x and a > y) or (c < x and a >= y) for c, a in models) for x, y in models
    ]
    assert front(cost, accuracy).tolist() == expected


def test_the_fronts_of_a_view(zoo, links):
    # By parameters: a_small (1 M, 0.70), b_small (2 M, 0.72), c_small (3 M, 0.75),
    # a_large (4 M, 0.80), b_large (8 M, 0.82), c_large (9 M, 0.85); both d are beaten.
    found = dict(
        (figure.name, (figure, [row.cells[0].text for row in table.rows]))
        for figure, table in fronts(zoo, zoo.board, links)
    )
    figure, models = found["front-params"]
    assert models == ["a_small", "b_small", "c_small", "a_large", "b_large", "c_large"]
    assert figure.about.startswith("6 of 8 models are on the front: no other is as accurate ")
    on_front = figure.plot["data"][-1]
    assert on_front["x"] == [1e6, 2e6, 3e6, 4e6, 8e6, 9e6]
    assert on_front["line"]["shape"] == "hv"
    # Faster is better: dse needs one forward pass of 2,000 images in 0.25 + i / 8 seconds.
    figure, models = found["front-images-per-second"]
    assert models == ["c_large", "b_large", "a_large", "a_small"]
    assert figure.plot["data"][-1]["x"][-1] == 8000.0
    assert "front-macs" not in found  # nobody knows them


def test_a_front_of_the_models_that_match(zoo, links):
    text = leaderboard_page(zoo, ask(zoo, [("q", "_small")]), links)
    assert Table(text, "on-front-params").column("Model") == ["a_small", "b_small", "c_small"]
    assert "3 of 3 models" in text
