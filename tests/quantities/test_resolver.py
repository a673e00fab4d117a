import tracemalloc
from collections import Counter

import numpy as np
import pytest

from zoo_eval.errors import InputError
from zoo_eval.quantities import QUANTITIES, Computed, Quantity, Resolver
from zoo_eval.scores import SCORES


@pytest.fixture
def calls(monkeypatch) -> Counter:
    """Counts how often each of two chained quantities is computed."""
    counted = Counter()

    def double(labels):
        counted["double"] += 1
        return labels * 2

    def wide(embeddings):
        counted["wide"] += 1
        return embeddings + 1

    monkeypatch.setitem(QUANTITIES, "double", Quantity("double", ("labels",), double))
    monkeypatch.setitem(QUANTITIES, "wide", Quantity("wide", ("embeddings",), wide))
    return counted


GIVENS = {"embeddings": np.ones((3, 2)), "labels": np.arange(3)}


def test_each_quantity_is_computed_once(calls):
    resolver = Resolver(GIVENS, [("wide",), ("wide", "double")])
    for _ in range(3):
        resolver.get("wide")
        resolver.get("double")
    assert calls == {"wide": 1, "double": 1}


def test_a_quantity_lives_as_long_as_it_has_users(calls):
    resolver = Resolver(GIVENS, [("wide",), ("wide",)])
    resolver.get("wide")
    resolver.release(("wide",))
    resolver.get("wide")
    assert calls["wide"] == 1
    resolver.release(("wide",))
    resolver.get("wide")
    assert calls["wide"] == 2


def test_memory_is_free_again_when_the_last_user_is_done():
    """Of the distances of 1,500 images, 18 MB, and what computing them takes."""
    names = ("dsmi", "silhouette", "twonn")
    embeddings = np.random.default_rng(0).normal(size=(1500, 8))
    givens = {"embeddings": embeddings, "labels": np.arange(1500) % 3}
    resolver = Resolver(givens, [SCORES[name].needs for name in names])
    held = []
    tracemalloc.start()
    try:
        for name in names:
            SCORES[name].measure(resolver, SCORES[name].with_defaults({}))
            resolver.release(SCORES[name].needs)
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[0] > 18e6
    assert held[-1] < 1e6


def test_quantities_of_the_dataset_are_shared_from_model_to_model(calls):
    shared: dict[str, Computed] = {}
    for _ in range(2):
        resolver = Resolver(GIVENS, [("double", "wide")], shared)
        resolver.get("double")
        resolver.get("wide")
        resolver.release(("double", "wide"))
    assert calls == {"double": 1, "wide": 2}
    assert list(shared) == ["double"]


def test_a_given_quantity_is_not_computed(calls):
    resolver = Resolver({"wide": "given"}, [("wide",)])
    assert resolver.get("wide") == "given"
    assert not calls


def test_seconds_count_what_lies_behind(calls):
    resolver = Resolver(GIVENS, [("wide",)])
    assert resolver.seconds(("wide",)) == 0
    resolver.get("wide")
    assert resolver.seconds(("wide",)) > 0


def test_a_missing_given_is_named():
    with pytest.raises(InputError, match=r"'model' .the network.* was not given"):
        Resolver({"labels": np.arange(3)}, []).get("logits")
