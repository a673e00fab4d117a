import numpy as np
import pytest

import zoo_eval.conformance
from tests.conformance.bad_scores import as_pool_score, as_score
from zoo_eval import check_score
from zoo_eval.conformance import examine, inputs
from zoo_eval.errors import ConformanceError, InputError
from zoo_eval.scores import SCORES


def direction(embeddings, *, power=1):
    """Warns where an embedding is zero."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return float(((embeddings / lengths) ** power).mean())


def test_what_was_checked_is_returned():
    findings = check_score(SCORES["rankme"])
    assert all(finding.passed for finding in findings)
    seen = {finding.name: finding.seen for finding in findings}
    assert seen["declaration.unit"] == "dimensions"
    assert seen["arrays.one_image"] == "1"
    assert float(seen["arrays.few_images"]) <= 12


def test_every_failed_check_is_listed_with_what_was_seen():
    with pytest.raises(ConformanceError) as caught:
        check_score(as_score(direction, bounds=(10.0, 11.0)), only="arrays.zero_rows")
    assert str(caught.value) == (
        "direction fails 1 of 1 checks:\n"
        "\n"
        "arrays.zero_rows: Some embeddings are all zero, as behind a dead ReLU: a finite float "
        "within bounds, or ScoreUndefinedError with a reason; no warning.\n"
        "  seen: warned RuntimeWarning: invalid value encountered in divide\n"
        '  again: direction(**zoo_eval.conformance.inputs(direction, "zero_rows"))'
    )
    with pytest.raises(ConformanceError, match=r"fails 2[0-9] of 33 checks"):
        check_score(as_score(direction, bounds=(10.0, 11.0)))


def test_the_line_to_see_it_again_shows_it_again():
    score = as_score(direction)
    [finding] = [finding for finding in examine(score) if not finding.passed]
    names = {"direction": score, "zoo_eval": zoo_eval}
    with pytest.raises(RuntimeWarning, match="invalid value encountered in divide"):
        eval(finding.again, names)
    [finding] = examine(score, only="arrays.called_again", options={"power": 3})
    assert finding.again.endswith("only=\"arrays.called_again\", options={'power': 3})")
    assert eval(finding.again, names) == [finding]


def test_options():
    def fails_for_two(embeddings, *, k=1):
        return 1.0 if k == 1 else float("nan")

    score = as_score(fails_for_two)
    check_score(score)
    with pytest.raises(ConformanceError, match=r'"ordinary"\), k=2\)'):
        check_score(score, options={"k": 2})
    with pytest.raises(InputError, match="no option 'n'"):
        check_score(score, options={"n": 2})
    with pytest.raises(InputError, match="a pool score, and these have no options"):
        check_score(as_pool_score(lambda dse: dse), options={"k": 2})


def test_only_some_checks():
    names = [finding.name for finding in check_score(SCORES["snip"], only="networks.tokens")]
    assert names[0] == "networks.tokens"
    assert all(name.startswith("networks.tokens") for name in names)
    with pytest.raises(InputError, match=r"no check 'nosuch' .* declaration.name"):
        check_score(SCORES["snip"], only="nosuch")


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (direction, 'direction is a plain function.*@score\\(unit="…".*above `def direction`'),
        (3.0, "A score is needed.*this is a float.*scores new NAME"),
        (dict, "A score is needed.*this is a type"),
        ("dse", "this is a str"),
    ],
)
def test_something_else_is_refused_with_advice(thing, message):
    with pytest.raises(InputError, match=message):
        check_score(thing)


def test_inputs():
    assert inputs(SCORES["dse"], "few_images").keys() == {"embeddings"}
    assert inputs(SCORES["logme"], "few_images").keys() == {"embeddings", "labels"}
    assert inputs(SCORES["snip"], "tokens").keys() == {"model", "probe_images", "probe_labels"}
    with pytest.raises(InputError, match="no case 'tokens' here; there are: ordinary"):
        inputs(SCORES["dse"], "tokens")
