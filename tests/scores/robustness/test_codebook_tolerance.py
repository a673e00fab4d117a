import copy

import pytest
import torch

from zoo_eval.scores.robustness.codebook_tolerance import codebook_tolerance
from zoo_eval.transforms.codebook import with_codebook


def test_a_network_of_few_different_weights_bears_codebooks_of_them(trained):
    given = trained.givens("head_labels")
    given["model"] = copy.deepcopy(given["model"])
    with torch.no_grad():
        for module in given["model"].modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
                module.weight.copy_(with_codebook(module.weight, 2**4))
    # At 6, 5 and 4 bits nothing changes.
    for measure in ("agreement", "fidelity", "cka", "accuracy"):
        assert codebook_tolerance(**given, measure=measure) <= 4


@pytest.mark.parametrize("control", [False, True])
def test_a_network_of_other_weights_loses_more(trained, control):
    assert codebook_tolerance(**trained.givens(), measure="cka", control=control) > 2
