import copy

import pytest
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.robustness.spiking_area import spiking_area


def test_more_is_left_than_by_chance_and_less_than_all(trained):
    given = trained.givens("head_labels")
    for measure in ("agreement", "cka", "accuracy"):
        for control in (False, True):
            assert 0.1 < spiking_area(**given, measure=measure, control=control) < 1


def test_networks_with_other_activations_have_none(trained):
    given = trained.givens()
    given["model"] = copy.deepcopy(given["model"])
    given["model"].act1 = nn.SiLU()
    with pytest.raises(ScoreUndefinedError, match="activation modules of ResNet are SiLU"):
        spiking_area(**given)
