import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.transforms.test_rational_fit import value
from zoo_eval.scores.robustness.rational_area import rational_area
from zoo_eval.transforms.rational_fit import rational_like


class ByHand(nn.Module):
    """By the formula, in NumPy."""

    def __init__(self, function, degree):
        super().__init__()
        self.found = rational_like(function, degree)

    def forward(self, x):
        return torch.from_numpy(value(self.found, x.double().numpy())).float()


def swapped(model, kind, new):
    """A copy with other modules in the place of one kind."""
    model = copy.deepcopy(model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, kind):
                setattr(parent, name, new)
    return model


def test_that_of_networks_with_other_modules(trained):
    kept = []
    for degree in (5, 4, 3, 2, 1):
        model = swapped(trained.model, nn.ReLU, ByHand(torch.relu, degree))
        kept.append((trained.classes_of(model, trained.batch) == trained.classes).mean())
    expected = np.trapezoid(kept) / 4
    assert 0.2 < expected < 0.95
    # Another rounding may move an image that is on the edge of two classes.
    assert rational_area(**trained.givens()) == pytest.approx(expected, abs=0.01)


def test_by_every_measure_something_is_lost_and_something_left(trained):
    given = trained.givens("head_labels")
    for measure in ("agreement", "cka"):
        assert 0.01 < rational_area(**given, measure=measure) < 1
    assert 0.01 < rational_area(**given, measure="accuracy", control=True) < 1
