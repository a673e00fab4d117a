"""The checks of scores from arrays see what is wrong, and only that."""

import numpy as np
import pytest
import torch

from tests.conformance.bad_scores import as_score, failed, seen
from zoo_eval.conformance import examine
from zoo_eval.conformance.arrays import CASES
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import Estimate


def norm(embeddings):
    return float(np.linalg.norm(embeddings))


def test_a_good_score_passes_all():
    findings = examine(as_score(norm))
    assert not failed(findings)
    assert {f"arrays.{case}" for case in CASES} < {finding.name for finding in findings}


def mean_of_directions(embeddings):
    directions = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    return float(directions.mean())


def variance_of_images(embeddings):
    return float(embeddings.var(axis=0, ddof=1).sum())


def needs_two_classes(embeddings, labels):
    return float(embeddings[labels == np.unique(labels)[1]].mean())


def of_second_class_by_place(embeddings, labels):
    ids = np.unique(labels)
    return float(embeddings[labels == ids[0]].mean())


def largest_class_id(embeddings, labels):
    return float(labels.max())


def single_precision(embeddings):
    shift = embeddings.dtype.type(3e5)
    return float((embeddings + shift).var())


def centres_in_place(embeddings):
    embeddings -= embeddings.mean(axis=0)
    return norm(embeddings)


def never_defined(embeddings):
    raise ScoreUndefinedError(f"There is no value, whatever the {len(embeddings)} images.")


def sets_numpys_seed(embeddings):
    np.random.seed(0)  # noqa: NPY002
    return norm(embeddings)


def sets_torchs_seed(embeddings):
    torch.manual_seed(0)
    return norm(embeddings)


CALLS = []


def counts_its_calls(embeddings):
    CALLS.append(None)
    return norm(embeddings) + len(CALLS)


@pytest.mark.parametrize(
    ("function", "checks"),
    [
        (mean_of_directions, {"zero_rows"}),
        (variance_of_images, {"one_image"}),
        (needs_two_classes, {"one_class", "one_image", "class_names"}),
        (of_second_class_by_place, {"class_names"}),
        (largest_class_id, {"class_ids_with_gaps"}),
        (single_precision, {"precision"}),
        (centres_in_place, {"inputs_unchanged"}),
        (never_defined, {"has_a_value"}),
        (sets_numpys_seed, {"random_generators"}),
        (sets_torchs_seed, {"random_generators"}),
        (counts_its_calls, {"called_again", "random_generators", "precision"}),
    ],
)
def test_one_fault_fails_its_own_checks(function, checks):
    assert failed(examine(as_score(function))) == {f"arrays.{check}" for check in checks}


def warns(embeddings):
    return float(np.log(0 * norm(embeddings)))


def raises(embeddings):
    raise IndexError("index 3 is out of bounds\nfor axis 0")


def gives_no_reason(embeddings):
    raise ScoreUndefinedError("undefined")


def not_a_number(embeddings):
    return float("nan")


def a_tensor(embeddings):
    return torch.tensor(1.0)


def above_its_bound(embeddings):
    return 1.5


def outside_its_interval(embeddings):
    return Estimate(0.5, low=0.6, high=0.7)


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (warns, "warned RuntimeWarning: divide by zero encountered"),
        (raises, "raised IndexError: index 3 is out of bounds"),
        (gives_no_reason, "ScoreUndefinedError has no reason but 'undefined'"),
        (not_a_number, "returned nan; raise ScoreUndefinedError and say why"),
        (a_tensor, "returned a Tensor, where a float is needed"),
        (above_its_bound, "returned 1.5, but its bounds are 0.0 to 1.0"),
        (outside_its_interval, "returned 0.5, outside its own interval 0.6 to 0.7"),
    ],
)
def test_what_is_seen(function, what):
    findings = examine(as_score(function, bounds=(0.0, 1.0)), only="arrays.ordinary")
    assert what in seen(findings, "arrays.ordinary")


def test_rounding_may_pass_a_bound():
    def just_above(embeddings):
        return 1 + 1e-12

    assert not failed(examine(as_score(just_above, bounds=(0.0, 1.0)), only="arrays.ordinary"))


def test_numpy_warns_even_if_the_caller_switched_it_off():
    with np.errstate(all="ignore"):
        assert failed(examine(as_score(warns), only="arrays.ordinary"))


def test_warnings_about_code_are_none_of_ours():
    def deprecated(embeddings):
        import warnings

        warnings.warn("np.old is deprecated", DeprecationWarning, stacklevel=2)
        return norm(embeddings)

    assert not failed(examine(as_score(deprecated)))


def test_the_generators_are_put_back():
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    examine(as_score(norm), only="arrays.random_generators")
    draws = [np.random.uniform(), float(torch.rand(1))]  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    assert draws == [np.random.uniform(), float(torch.rand(1))]  # noqa: NPY002


# Draws that go by class: the values differ, but not as a whole.


def test_a_score_with_a_seed_may_draw_by_class():
    def of_some_images(embeddings, labels, *, seed=0):
        rng = np.random.default_rng(seed)
        z = [rng.permutation(embeddings[labels == c])[:9] for c in np.unique(labels)]
        return float(np.linalg.norm(np.concatenate(z)))

    findings = examine(as_score(of_some_images), only="arrays.class_names")
    assert not failed(findings)
    assert "other draws, but alike: over 5 seeds" in seen(findings, "arrays.class_names")


def test_but_no_class_may_count_more_than_another():
    def of_the_first_class(embeddings, labels, *, seed=0):
        rng = np.random.default_rng(seed)
        return float(embeddings[labels == labels.min()].mean() + 1e-6 * rng.normal())

    assert failed(examine(as_score(of_the_first_class), only="arrays.class_names"))


# The datasets are what their descriptions say.


@pytest.mark.parametrize("case", CASES)
def test_one_row_per_image(case):
    dataset = CASES[case]()
    n = len(dataset.labels)
    assert dataset.embeddings.shape[0] == dataset.logits.shape[0] == dataset.pixels.shape[0] == n
    assert dataset.embeddings.dtype == np.float64


def test_what_the_datasets_are():
    shape = {name: make().embeddings.shape for name, make in CASES.items()}
    assert shape["few_images"] == (12, 30)
    assert shape["square"] == (24, 24)
    assert shape["one_feature"][1] == 1
    assert shape["one_image"][0] == 1
    sizes = {
        name: sorted(np.unique(make().labels, return_counts=True)[1])
        for name, make in CASES.items()
    }
    assert sizes["two_classes"] == [15, 15]
    assert sizes["unbalanced"] == [2, 4, 8, 40]
    assert sizes["singleton_class"] == [1, 14, 14]
    assert sizes["one_class"] == [20]
    assert len(np.unique(CASES["duplicates"]().embeddings, axis=0)) == 18
    assert len(np.unique(CASES["collapsed_classes"]().embeddings, axis=0)) == 3
    assert sum(np.ptp(CASES["constant_features"]().embeddings, axis=0) == 0) == 3
    assert sum(~CASES["zero_rows"]().embeddings.any(axis=1)) >= 8
