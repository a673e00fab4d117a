"""The card of a model: what it bears, in words; nothing that is not stored."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.report.conftest import rows
from tests.report.pages.document import Table
from zoo_eval.report.ensembles import Ensembles
from zoo_eval.report.pages.model import model_page

AGREEMENT = {"control": False, "measure": "agreement"}
NAN = np.nan
# Of a_small, a_large, b_small, b_large and the four others.
VALUES = {
    "codebook_tolerance": [4.0, 32.0, 1.0, NAN, *[5.0] * 4],
    "pruning_tolerance": [0.3, 0.0, 0.9, NAN, *[0.1] * 4],
    "jpeg_tolerance": [25.0, 101.0, 7.0, NAN, *[50.0] * 4],
    "removal_tolerance": [2.0, 0.0, 1.0, NAN, *[3.0] * 4],
}


def with_tolerances(store, **options):
    known = [store.tables["scores"]]
    for score, values in VALUES.items():
        why = "no block can be removed"
        known.append(pd.DataFrame(rows(score, values, options={**AGREEMENT, **options}, why=why)))
    store.tables["scores"] = pd.concat(known, ignore_index=True)
    return store


@pytest.mark.parametrize(
    ("model", "answers"),
    [
        (
            "a_small",
            ["4 bits per weight", "30 % of the weights", "quality 25 or more", "2 blocks"],
        ),
        (
            "a_large",
            ["32: even 6 bits cost more", "none: even 10 %", "none: even quality 95", "none: even"],
        ),
        ("b_small", ["1 bit per weight", "90 % of the weights", "quality 7 or more", "1 block"]),
    ],
)
def test_every_tolerance_in_words(store, make_zoo, links, model, answers):
    card = Table(model_page(make_zoo(with_tolerances(store)), model, links), "what-if")
    assert "more than 99 % of the answers" in card.caption
    for said, answer in zip(card.column("Answer"), answers, strict=True):
        assert said.startswith(answer)
    addresses = [card.hrefs[question] for question in card.column("What if")]
    for address, score in zip(addresses, VALUES, strict=True):
        assert address.startswith(f"/scores/{score}")


def test_no_card_where_nothing_is_stored(store, make_zoo, zoo, links):
    assert 'id="what-if"' not in model_page(zoo, "a_small", links)
    assert 'id="what-if"' not in model_page(make_zoo(with_tolerances(store)), "b_large", links)


@pytest.mark.parametrize("other", [{"measure": "cka"}, {"control": True}])
def test_other_measures_and_controls_are_no_answer(store, make_zoo, links, other):
    zoo = make_zoo(with_tolerances(store, **other))
    assert 'id="what-if"' not in model_page(zoo, "a_small", links)


def test_the_best_partner(zoo, links):
    line = {"partner": "c_large", "together": 0.925, "gain": 0.0125, "low": -0.01, "high": 0.035}
    partners = pd.DataFrame([line], index=pd.Index(["a_small"], name="model"))
    empty = pd.DataFrame()
    known = replace(zoo, ensembles=Ensembles("toy", 50, 50, partners, empty, empty, 0))
    card = Table(model_page(known, "a_small", links), "what-if")
    assert card.column("Answer") == [
        "c_large",
        "+1.2 points (−1.0 to +3.5), right on 92.5%",
    ]
    assert card.caption == "Together with another model"
    assert 'id="what-if"' not in model_page(known, "b_small", links)
    unknown = replace(zoo, ensembles=Ensembles("", 0, 0, empty, empty, empty, 0, "not kept"))
    assert 'id="what-if"' not in model_page(unknown, "a_small", links)
