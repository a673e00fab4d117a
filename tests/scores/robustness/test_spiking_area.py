import copy

import pytest
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.robustness.spiking_area import spiking_area


def test_more_is_left_than_by_chance_and_less_than_all(trained):
    given = trained.givens("head_labels")
    assert 0.1 < spiking_area(**given, measure="accuracy") < 1
    assert 0.1 < spiking_area(**given, measure="cka", control=True) < 1


def test_networks_with_other_activations_have_none(trained):
    given = trained.givens()
    given["model"] = copy.deepcopy(given["model"])
    given["model"].act1 = nn.SiLU()
    with pytest.raises(ScoreUndefinedError, match="activation modules of ResNet are SiLU"):
        spiking_area(**given)
