import copy

import torch

from zoo_eval.scores.robustness.noise_tolerance import noise_tolerance


def test_a_network_with_wide_margins_bears_all_noise(trained):
    # The head's own bias decides: no noise on weights changes a class.
    given = trained.givens()
    given["model"] = copy.deepcopy(given["model"])
    with torch.no_grad():
        given["model"].get_classifier().bias[3] += 1e4
    assert noise_tolerance(**given) == 0.5
    assert noise_tolerance(**trained.givens()) < 0.5


def test_noise_that_is_borne_costs_less_than_a_point(trained):
    size = noise_tolerance(**trained.givens())

    def add(weights):
        generator = torch.Generator().manual_seed(5)
        for weight in weights:
            weight += torch.randn(weight.shape, generator=generator) * size * weight.std()

    assert trained.agreement(add) >= 0.96  # another draw, on 100 images
