import pytest

from tests.conformance.bad_scores import DOCSTRING, as_pool_score, as_score, failed, seen
from zoo_eval.conformance import Violation, examine
from zoo_eval.conformance.declaration import OF_SCORES
from zoo_eval.scores import SCORES


def first_entry(embeddings):
    return float(embeddings[0, 0])


def test_a_complete_declaration_passes():
    assert not failed(examine(as_score(first_entry), only="declaration"))


@pytest.mark.parametrize(
    ("declared", "check", "what"),
    [
        (
            {"docstring": DOCSTRING.replace(".\n", "\n", 1)},
            "summary",
            "the docstring begins 'Something of the embeddings'",
        ),
        ({"docstring": "Something.\n"}, "references", "References are missing"),
        (
            {"docstring": "Something.\n\nReferences:\n    Nobody, 1999.\n"},
            "references",
            "References are Nobody, 1999.",
        ),
        ({"unit": " "}, "unit", "unit is ' '"),
        ({"bounds": (1.0, 0.0)}, "bounds", "bounds are 1.0 and 0.0"),
        ({"bounds": (float("nan"), 0.0)}, "bounds", "bounds are nan and 0.0"),
        ({"cost": ""}, "cost", "cost is ''"),
        ({"weights": ("imagenet",)}, "weights", "weights are ('imagenet',)"),
        ({"weights": ()}, "weights", "weights are ()"),
        ({"version": 0}, "version", "version is 0"),
    ],
)
def test_what_is_missing(declared, check, what):
    findings = examine(as_score(first_entry, **declared), only="declaration")
    assert failed(findings) == {f"declaration.{check}"}
    assert what in seen(findings, f"declaration.{check}")


def test_an_unknown_need_is_named_and_nothing_else_is_tried():
    findings = examine(as_score(lambda embedings: 0.0))
    assert "declaration.needs" in failed(findings)
    assert "Did you mean 'embeddings'?" in seen(findings, "declaration.needs")
    assert all(finding.name.startswith("declaration.") for finding in findings)


def test_a_score_needs_something():
    def constant():
        return 1.0

    findings = examine(as_score(constant), only="declaration")
    assert failed(findings) == {"declaration.needs"}


def test_options_must_fit_into_a_job_file():
    def listed(embeddings, *, ks=(1, 2)):
        return 0.0

    def required(embeddings, *, k):
        return 0.0

    [check] = [check for check in OF_SCORES if check.name == "declaration.options"]
    with pytest.raises(Violation, match=r"the option 'ks' is a tuple: \(1, 2\)"):
        check.run(as_score(listed), {})
    with pytest.raises(Violation, match="the option 'k' has no default"):
        check.run(as_score(required), {})


def test_the_claim_is_one_of_three():
    score = as_score(first_entry)
    score.higher_is_better = "yes"
    findings = examine(score, only="declaration")
    assert failed(findings) == {"declaration.better"}
    assert seen(findings, "declaration.better") == "higher_is_better is 'yes'"


def test_names_are_in_lower_case():
    def MeanCosine(embeddings):
        return 0.0

    assert failed(examine(as_score(MeanCosine), only="declaration")) == {"declaration.name"}


def test_parts_of_a_pool_score_are_scores():
    def ranks(dse, logmee):
        return dse

    findings = examine(as_pool_score(ranks))
    assert failed(findings) == {"declaration.parts"}
    assert seen(findings, "declaration.parts") == "no installed score is called 'logmee'"


def test_references_are_whole_entries():
    text = DOCSTRING.rstrip() + ",\n        Section 2.\n    Somebody, 2001\n\nNotes.\n"
    found = as_score(first_entry, docstring=text).references
    assert found == ['Nobody, "Nothing", https://example.org/nothing, Section 2.', "Somebody, 2001"]
    assert SCORES["snip"].references[0].endswith("https://arxiv.org/abs/1810.02340")
