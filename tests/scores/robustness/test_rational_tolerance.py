import torch.nn.functional as F
from torch import nn

from tests.scores.robustness.conftest import Trained
from tests.scores.robustness.test_rational_area import ByHand, swapped
from zoo_eval.quantities.activation_patterns import is_activation
from zoo_eval.scores.robustness.rational_tolerance import rational_tolerance


def test_networks_of_lines_bear_degree_1(trained):
    given = trained.givens()
    given["model"] = swapped(given["model"], nn.ReLU, nn.LeakyReLU(1.0))
    assert rational_tolerance(**given) == 1


def test_the_degree_is_borne_and_the_next_lower_one_is_not():
    trained = Trained("convnext_atto.w16_e2")
    [gelu] = {type(module) for module in trained.model.modules() if is_activation(module)}
    degree = int(rational_tolerance(**trained.givens()))
    assert 1 < degree < 6

    def kept(degree):
        model = swapped(trained.model, gelu, ByHand(F.gelu, degree))
        return (trained.classes_of(model, trained.batch) == trained.classes).mean()

    assert kept(degree) > 0.98
    assert kept(degree - 1) <= 0.99
