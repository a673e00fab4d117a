import copy

from torch import nn

from tests.scores.robustness.by_hand import without_projection
from zoo_eval.scores.robustness.removal_tolerance import removal_tolerance


def test_branches_that_add_nothing_can_all_go(deep):
    given = deep.givens()
    given["model"] = model = copy.deepcopy(given["model"])
    names = without_projection(model)
    for name in names:
        nn.init.zeros_(model.get_submodule(name).bn2.weight)
        nn.init.zeros_(model.get_submodule(name).bn2.bias)
    for control in (False, True):
        assert removal_tolerance(**given, control=control) == len(names) // 2


def test_a_small_trained_network_misses_its_blocks(deep):
    assert removal_tolerance(**deep.givens()) == 0
    assert removal_tolerance(**deep.givens(), measure="cka", control=True) == 0
