import copy

import numpy as np
import pytest

from tests.scores.robustness.by_hand import cka, embeddings, without_branch, without_projection
from zoo_eval.scores.robustness.removal_area import removal_area


def test_equals_removing_by_hand(deep):
    names = without_projection(deep.model)
    before = embeddings(deep.model, deep.batch)
    alone = {
        name: cka(before, embeddings(without_branch(deep.model, name), deep.batch))
        for name in names
    }
    model, kept = copy.deepcopy(deep.model), [1.0]
    for name in sorted(names, key=lambda name: -alone[name])[: max(1, len(names) // 2)]:
        model = without_branch(model, name)
        kept.append(float((deep.classes_of(model, deep.batch) == deep.classes).mean()))
    expected = np.trapezoid(kept) / (len(kept) - 1)
    assert removal_area(**deep.givens()) == pytest.approx(expected, abs=1e-9)


def test_each_measure(deep):
    for measure in ("agreement", "fidelity", "cka", "accuracy"):
        assert 0.1 < removal_area(**deep.givens("head_labels"), measure=measure) < 1
