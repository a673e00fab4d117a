from torch import nn

from zoo_eval.scores.zero_cost.activations import activations


def test_closed_form():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 4, 5))
    assert activations(model=model, input_shape=(3, 4, 4)) == 8 * 4 + 5


def test_grows_with_the_area():
    model = nn.Conv2d(3, 4, 1)
    small, large = (activations(model=model, input_shape=(3, s, s)) for s in (10, 30))
    assert large == 9 * small


def test_reference(case, parity):
    found = activations(model=case.model, input_shape=(3, 16, 16))
    parity.network(case, "activations/own", found)
