import pytest

from zoo_eval.errors import InputError
from zoo_eval.quantities import GIVENS, QUANTITIES, Quantity, belongs_to_dataset, closure, needs_of


def test_closure_walks_through_quantities():
    assert closure(["source_probabilities"]) == {
        *("source_probabilities", "logits", "forward_pass", "model", "images")
    }


def test_closure_stops_at_what_is_given():
    found = closure(["source_probabilities"], frozenset({"logits"}))
    assert found == {"source_probabilities", "logits"}


def test_every_quantity_can_be_reached_from_givens():
    for name in QUANTITIES:
        assert closure([name]) & GIVENS.keys()


def test_unknown_name_says_who_asks_and_what_was_meant(monkeypatch):
    wrong = Quantity("wrong", ("embeding",), lambda embeding: embeding)
    monkeypatch.setitem(QUANTITIES, "wrong", wrong)
    with pytest.raises(InputError, match=r"'embeding', asked for by 'wrong'.*mean 'embeddings'"):
        closure(["wrong"])


def test_circle(monkeypatch):
    monkeypatch.setitem(QUANTITIES, "a", Quantity("a", ("b",), lambda b: b))
    monkeypatch.setitem(QUANTITIES, "b", Quantity("b", ("a",), lambda a: a))
    with pytest.raises(InputError, match="in a circle: a → b → a"):
        closure(["a"])


def test_what_belongs_to_the_dataset():
    assert belongs_to_dataset("labels")
    assert belongs_to_dataset("image_clusters")
    assert not belongs_to_dataset("embeddings")


def test_star_arguments_are_refused():
    def loose(*arrays):
        return arrays

    with pytest.raises(InputError, match="takes \\*arrays"):
        needs_of(loose)
