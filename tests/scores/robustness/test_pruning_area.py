import numpy as np
import pytest
import torch

from tests.scores.robustness.by_hand import prune
from zoo_eval.scores.robustness.pruning_area import pruning_area

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


def test_equals_the_area_over_pruned_copies(trained):
    kept = [1.0, *(trained.agreement(prune(share)) for share in SHARES[1:])]
    assert pruning_area(**trained.givens()) == pytest.approx(np.trapezoid(kept, SHARES) / 0.9)


def test_a_trained_network_misses_its_largest_weights_more(trained):
    # What the paper compares with: as many weights of every layer, but any of them.
    for measure in ("agreement", "fidelity", "cka", "accuracy"):
        given = trained.givens("head_labels")
        randomly = pruning_area(**given, measure=measure, control=True)
        assert randomly < pruning_area(**given, measure=measure)


def test_weights_that_nothing_comes_through_can_go():
    # All that falls is multiplied by zero: no answer changes.
    torch.manual_seed(0)
    linear = torch.nn.Linear(10, 3)
    linear.weight.data[:, 1:] *= 1e-6

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = linear

        def forward_features(self, x):
            return x.flatten(1)

        def forward_head(self, x, pre_logits=False):
            return x if pre_logits else self.head(x)

        def forward(self, x):
            return self.forward_head(self.forward_features(x))

    images = torch.zeros(8, 1, 1, 10)
    images[:, 0, 0, 0] = torch.randn(8)
    assert pruning_area(model=Network(), images=[images], measure="fidelity") > 0.95
    assert pruning_area(model=Network(), images=[images], measure="cka") == 1
