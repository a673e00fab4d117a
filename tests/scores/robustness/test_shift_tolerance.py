import copy

import pytest
import torch

from zoo_eval.scores.robustness.shift_tolerance import shift_tolerance
from zoo_eval.transforms.shift import with_shifts


def test_a_network_of_such_weights_bears_them(trained):
    given = trained.givens()
    given["model"] = copy.deepcopy(given["model"])
    with torch.no_grad():
        for module in given["model"].modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
                module.weight.copy_(with_shifts(module.weight, 3))
    # At 5, 4 and 3 bits nothing changes: the codes hold those of 3 bits.
    assert shift_tolerance(**given) <= 3
    assert shift_tolerance(**given, measure="cka") <= 3


@pytest.mark.parametrize("control", [False, True])
def test_a_network_of_other_weights_loses_more(trained, control):
    assert shift_tolerance(**trained.givens(), measure="cka", control=control) > 2
