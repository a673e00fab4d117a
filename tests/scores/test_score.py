import pickle

import numpy as np
import pytest
import torch

from zoo_eval import scores
from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import SCORES, score

Z = np.random.default_rng(0).normal(size=(12, 4))
Y = np.repeat([0, 1, 2], 4)


def test_called_by_keyword_a_score_fills_in_what_it_needs():
    by_hand = scores.dse(embeddings=Z, bandwidth=10.0)
    squares = ((Z[:, None] - Z[None]) ** 2).sum(-1)
    assert by_hand == pytest.approx(
        scores.dse(squared_distances=squares, embeddings=Z, bandwidth=10.0), rel=1e-9
    )


def test_tensors_lists_and_class_names_are_accepted():
    plain = scores.logme(embeddings=Z, labels=Y)
    assert scores.logme(embeddings=torch.tensor(Z), labels=torch.tensor(Y)) == plain
    assert scores.logme(embeddings=Z, labels=[["ant", "bee", "cat"][y] for y in Y]) == plain
    assert scores.logme(embeddings=Z, labels=Y * 7 + 3) == plain


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"embeddings": Z, "bandwith": 3}, "no option 'bandwith'.*Did you mean 'bandwidth'"),
        ({"embeddings": Z[0]}, r"embeddings must be a matrix .* shape \(4,\)"),
        ({"embeddings": Z[:0]}, r"shape \(0, 4\)"),
        ({"embeddings": np.where(Z > 1, np.nan, Z)}, "embeddings holds [0-9]+ NaN or infinite"),
        ({"embeddings": np.full((2, 2), "x")}, "must hold numbers"),
        ({}, "'model' .* was not given"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        scores.dse(**arguments)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Y[:-1], "embeddings has 12 rows, labels has 11 rows"),
        (Y[:, None], r"one class id per image, but has shape \(12, 1\)"),
        (Y + 0.5, "whole numbers or strings, but their type is float64"),
    ],
)
def test_wrong_labels(labels, message):
    with pytest.raises(InputError, match=message):
        scores.logme(embeddings=Z, labels=labels)


def test_not_a_number_is_undefined_never_a_value():
    @score(unit="x", higher_is_better=None)
    def broken(embeddings):
        return float("nan")

    with pytest.raises(ScoreUndefinedError, match="broken came out as nan"):
        broken(embeddings=Z)


def test_a_score_travels_to_a_worker_by_name():
    assert pickle.loads(pickle.dumps(SCORES["dse"])) is SCORES["dse"]


def test_unknown_score():
    with pytest.raises(AttributeError, match="no score called 'dsx'"):
        scores.dsx  # noqa: B018


@pytest.mark.parametrize("name", sorted(SCORES))
def test_every_score_says_what_a_reader_must_know(name):
    found = SCORES[name]
    assert found.summary.endswith((".", "?"))
    assert found.unit
    assert found.cost
    assert "http" in (found.function.__doc__ or "")
    assert found.references
    assert all("http" in entry or entry.endswith(".") for entry in found.references)
    assert found.bounds[0] < found.bounds[1]
    assert found.givens()


@pytest.mark.parametrize("name", sorted(SCORES))
def test_every_score_has_a_file_and_a_test_of_its_own(name):
    from pathlib import Path

    group = SCORES[name].group
    assert SCORES[name].__module__ == f"zoo_eval.scores.{group}.{name}"
    assert (Path(__file__).parent / group / f"test_{name}.py").is_file()
