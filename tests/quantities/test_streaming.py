"""Large probe batches pass the network in parts, and the scores stay what they are."""

import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.quantities import gradients
from zoo_eval.quantities.input_gradients import summed_logit_gradients
from zoo_eval.scores import SCORES

STREAMED = ("grad_norm", "snip", "plain", "grasp", "fisher", "jacob_cov", "epe_nas")


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3),
        nn.BatchNorm2d(6),
        nn.SiLU(),
        nn.Conv2d(6, 6, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 4),
    ).double()
    model[1].running_var.uniform_(0.5, 2)
    return model.eval()


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(37, 3, 9, 9, generator=generator).double(), torch.arange(37) % 4


def call(name, model, images, labels, **options):
    givens = {"model": model, "probe_images": images, "probe_labels": labels}
    score = SCORES[name]
    return score(**{given: givens[given] for given in score.givens()}, **options)


@pytest.mark.parametrize("name", STREAMED)
def test_in_parts_as_in_one(name, network, batch, monkeypatch):
    in_parts = call(name, network, *batch)
    monkeypatch.setattr(gradients, "_AT_ONCE", 1000)
    np.testing.assert_allclose(in_parts, call(name, network, *batch), rtol=1e-9)


@pytest.mark.parametrize(("mode", "largest"), [("eval", 16), ("train", 37)])
def test_how_many_images_the_network_sees_at_once(mode, largest, network, batch):
    seen = []
    network[0].register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    gradients.loss_gradients(network, *batch, mode)
    summed_logit_gradients(network, batch[0], mode)
    assert max(seen) == largest
    assert sum(seen) == 2 * 37
