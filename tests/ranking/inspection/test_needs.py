"""What scores are said to need of the classes, against the scores themselves."""

import numpy as np
import pytest

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.ranking.inspection.needs import shortages
from zoo_eval.scores import SCORES

# Scores of embeddings and labels alone, which take no network; those of heads and of graphs answer
# what-if questions, which no race asks.
OF_EMBEDDINGS = [
    score
    for score in SCORES.values()
    if "labels" in score.givens()
    and score.group != "initialisation"
    and score.name != "graph_gain"
    and not {"logits", "source_probabilities"} & set(score.needs)
]


def undefined(sizes: list[int]) -> set[str]:
    """Scores that have no value for classes of these sizes."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(0)
    embeddings = (rng.normal(size=(len(labels), 6)) + labels[:, None]).astype(np.float32)
    without: set[str] = set()
    for score in OF_EMBEDDINGS:
        try:
            score(embeddings=embeddings, labels=labels)
        except ScoreUndefinedError:
            without.add(score.name)
    return without


def said(sizes: list[int]) -> set[str]:
    classes = {f"c{place}": size for place, size in enumerate(sizes)}
    return {shortage.score for shortage in shortages(classes) if shortage.undefined}


@pytest.mark.parametrize(
    "sizes",
    [
        [12] * 6,  # nothing is missing
        [12] * 5 + [5],
        [12] * 5 + [4],
        [12] * 4 + [6],
        [12] * 4 + [5],
        [12] * 5 + [1],
        [7, 7, 7],  # as many as k-NN needs
        [7, 7, 6],
    ],
)
def test_the_scores_that_would_have_no_value_are_named(sizes):
    # Those of binned features ask for more images than bins in any class, see `binning_mi`.
    assert said(sizes) == undefined(sizes) - {"binning_mi", "ebab_mi"}


def test_the_words():
    assert shortages({}) == ()
    assert shortages({"a": 60, "b": 60, "c": 60, "d": 60, "e": 60}) == ()
    (only,) = shortages({"cat": 9})
    assert (only.score, only.undefined) == ("scores with labels", True)
    assert only.why == "they compare classes, and there is only 'cat'"
    found = {(s.score, s.undefined): s.why for s in shortages({"cat": 20, "eel": 1, "dog": 4})}
    assert found == {
        ("linear_probe_accuracy", True): (
            "5 images of each class are needed; 2 classes have fewer than 5, the smallest, 'eel', 1"
        ),
        ("poincare_ncm_gain", True): (
            "5 images of each class are needed; 2 classes have fewer than 5, the smallest, 'eel', 1"
        ),
        ("few_shot_accuracy", True): "5 classes of 6 images are needed; 1 class has so many",
        ("knn_accuracy", False): (
            "an image that is alone in its class is never taken for it; 1 class has fewer than 2, "
            "the smallest, 'eel', 1"
        ),
        ("ncm_accuracy", False): (
            "an image that is alone in its class is never taken for it; 1 class has fewer than 2, "
            "the smallest, 'eel', 1"
        ),
        ("ridge_probe_accuracy", False): (
            "an image that is alone in its class is never taken for it; 1 class has fewer than 2, "
            "the smallest, 'eel', 1"
        ),
    }


@pytest.mark.parametrize("score", ["knn_accuracy", "ncm_accuracy", "ridge_probe_accuracy"])
def test_an_image_that_is_alone_in_its_class_is_never_right(score):
    labels = np.array([*[0] * 30, *[1] * 30, 2])
    embeddings = np.eye(3)[labels] + np.random.default_rng(0).normal(0, 0.01, (61, 3))
    assert SCORES[score](embeddings=embeddings, labels=labels) == pytest.approx(60 / 61)
