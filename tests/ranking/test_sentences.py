from dataclasses import replace

import pytest

from tests.ranking.rankings import RANKING, ranked, without_labels
from zoo_eval.ranking import sentences
from zoo_eval.ranking.answer import PlainChoice
from zoo_eval.ranking.race_plan import PlannedRound, RacePlan
from zoo_eval.ranking.standing import Separation


def test_the_verdict_names_the_first_and_those_that_it_cannot_be_told_from():
    assert sentences.verdict(RANKING) == (
        "Take good.a: predicted accuracy 0.800 (0.750 to 0.850) after linear probing. "
        "It cannot be told apart from 1 other with these 60 images."
    )
    alone = replace(RANKING, rows=(ranked(1, "good.a"), ranked(2, "fair.b", group=2)))
    assert sentences.verdict(alone).endswith("It beats all others with these 60 images.")


def test_no_network_is_recommended_that_may_be_guessing():
    first = replace(RANKING.best, accuracy=0.0004, accuracy_low=0.0001, accuracy_high=0.0011)
    ranking = replace(RANKING, rows=(first, *RANKING.rows[1:]), classes=("class",) * 5000)
    assert sentences.verdict(ranking) == (
        "No network is seen to be better than guessing one of 5,000 classes: the first, good.a, "
        "has predicted accuracy 0.000 (0.000 to 0.001) after linear probing. Take more images per "
        "class, or other networks."
    )
    better = replace(first, accuracy_low=0.0003)
    found = sentences.verdict(replace(ranking, rows=(better, *RANKING.rows[1:])))
    assert found.startswith("Take good.a")


def test_without_labels_no_accuracy_is_claimed():
    found = without_labels()
    text = sentences.verdict(found) + sentences.plain_text(found)
    assert "accuracy" not in text
    assert "good.a has the highest participation ratio." in text
    assert "place 3." in text


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (1234, "About 1,234 more labelled images would separate good.a from fair.b"),
        (None, "No number of images would separate good.a from fair.b."),
        (0, ""),
    ],
)
def test_what_would_separate_the_first_two(more, text):
    ranking = replace(RANKING, separation=Separation("good.a", "fair.b", more))
    assert sentences.more_images(ranking).startswith(text)
    assert bool(text) == bool(sentences.more_images(ranking))


def test_what_a_plain_choice_would_have_given():
    assert sentences.plain_text(RANKING) == (
        "The plain choice, best published ImageNet top-1 under the same limits, is poor.c, "
        "place 3: predicted accuracy 0.600, in the top 2 in 25.0% of draws."
    )
    same = replace(RANKING, plain_choice=PlainChoice("good.a", "params", 1, 0.8, 1.0))
    assert sentences.plain_text(same).endswith(
        "most parameters under the same limits, is good.a: the same network."
    )
    late = replace(RANKING, plain_choice=PlainChoice("x", "params", None, None, None))
    assert sentences.plain_text(late).endswith("x, which was not evaluated.")


def test_what_the_race_did_and_whom_it_left_out():
    assert sentences.how(RANKING) == (
        "Networks on images: 3 on 30, 2 on 60; ended as all images were used, after 9 s."
    )
    assert sentences.left_out_text(RANKING) == (
        "Not ranked: 1 beyond the limits, 1 failed. torn.e, for one: load: <b>"
    )
    assert sentences.left_out_text(replace(RANKING, left_out=())) == ""


def test_the_plan_says_time_and_disk():
    plan = RacePlan(
        *(1500, 3, 700, (PlannedRound(10, 30, 60.0), PlannedRound(240, 700, 7200.0))),
        *(60.0, 7260.0, 5_000_000, 40_000_000_000),
    )
    assert sentences.plan_lines(plan, 2, 1200.0) == [
        "1,500 networks on 700 images, 3 classes.",
        "Rounds: 30 (10 per class), 700 (240 per class) images; who cannot be in the top any more "
        "leaves after each.",
        "Time: 60 s to 2.0 h with 2 workers; budget 20 min; from this machine's matrix rate, "
        "within a factor of 3.",
        "Disk: at most 5.00 MB of embeddings and 40.00 GB of weights to download.",
    ]
