import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradient_signs import gradient_signs, sign_agreement
from zoo_eval.quantities.gradients import (
    logits_of,
    loss_gradients,
    loss_pass,
    mean_cross_entropy,
    probe_gradients,
    probe_pass,
)
from zoo_eval.quantities.module_state import in_mode

REFERENCE = runpy.run_path(
    str(Path(__file__).parents[1] / "reference" / "reference_networks.py"), run_name="reference"
)
CASES = pytest.mark.parametrize("name", REFERENCE["NETWORKS"])
MODES = pytest.mark.parametrize("mode", ["eval", "train"])


@CASES
@MODES
def test_logits_and_loss_of_the_reference_networks(name, mode):
    case = REFERENCE["load"](name, torch.float64)
    expected = case.expectations["forward"][mode]
    with in_mode(case.model, mode), torch.no_grad():
        logits = logits_of(case.model, case.images)
        loss = mean_cross_entropy(case.model, case.images, case.labels)
    np.testing.assert_allclose(logits, expected["logits_float64"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(loss, expected["loss_float64"], rtol=1e-12)


def slow_gradients(model, images, labels, mode):
    """With .backward() on a fresh network, as one would write it first."""
    model.train(mode == "train")
    F.cross_entropy(model(images), labels).backward()
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    return [layer.weight.grad for layer in layers]


@CASES
@MODES
def test_gradients_are_those_of_backward(name, mode):
    case, fresh = REFERENCE["load"](name), REFERENCE["load"](name)
    found = loss_gradients(case.model, case.images, case.labels, mode)
    expected = slow_gradients(fresh.model, case.images, case.labels, mode)
    assert [layer.name.removesuffix(".weight") for layer in found] == case.expectations["layers"]
    for layer, gradient in zip(found, expected, strict=True):
        torch.testing.assert_close(layer.gradient, gradient, rtol=0, atol=0)
        assert not layer.weight.requires_grad
    if mode == "eval":
        shared = probe_gradients(probe_pass(case.model, case.images, case.labels))
        assert all(torch.equal(a.gradient, b.gradient) for a, b in zip(found, shared, strict=True))


class TwoHeads(nn.Module):
    """As distilled networks: a tuple in train mode, the mean of it in eval mode."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.unused = nn.Linear(12, 4), nn.Linear(12, 4), nn.Linear(2, 2)

    def forward(self, x):
        x = x.flatten(1)
        heads = self.first(x), self.second(x)
        return heads if self.training else (heads[0] + heads[1]) / 2


BATCH = torch.randn(5, 3, 2, 2, generator=torch.Generator().manual_seed(1)), torch.arange(5) % 4


def test_heads_are_averaged_and_unused_weights_get_zeros():
    model = TwoHeads()
    in_eval, in_train = (loss_gradients(model, *BATCH, mode) for mode in ("eval", "train"))
    for a, b in zip(in_eval, in_train, strict=True):
        torch.testing.assert_close(a.gradient, b.gradient)
    assert in_eval[2].name == "unused.weight"
    assert not in_eval[2].gradient.any()
    assert in_eval[0].gradient.all()


def test_images_follow_the_network_to_its_precision_and_labels_may_be_short_integers():
    model = TwoHeads().double()
    images, labels = BATCH
    gradients = loss_gradients(model, images, labels.to(torch.int32), "eval")
    assert {layer.gradient.dtype for layer in gradients} == {torch.float64}


def test_frozen_networks_have_gradients_too():
    model = TwoHeads().requires_grad_(False)
    with torch.no_grad():
        assert loss_gradients(model, *BATCH, "eval")[0].gradient.any()
    assert not any(p.requires_grad for p in model.parameters())


def test_a_label_beyond_the_head_is_refused():
    images, labels = BATCH
    with pytest.raises(InputError, match=r"run from 0 to 4, but the network has outputs 0 to 3"):
        loss_gradients(TwoHeads(), images, labels + (labels == 3), "eval")
    with pytest.raises(InputError, match=r"run from -1 to 2"):
        gradient_signs(TwoHeads(), images[:4], labels[:4] - 1)


def test_a_network_without_layers_has_no_gradients():
    with pytest.raises(ScoreUndefinedError, match=r"Flatten has no convolution .* its 1 modules"):
        loss_gradients(nn.Flatten(), *BATCH, "eval")
    with pytest.raises(ScoreUndefinedError, match=r"Flatten has no convolution .* its 1 modules"):
        gradient_signs(nn.Flatten(), *BATCH)


def test_a_map_is_no_vector_of_class_scores():
    with pytest.raises(InputError, match=r"Conv2d should return .* 5 images, .* \(5, 4, 2, 2\)"):
        loss_gradients(nn.Conv2d(3, 4, 1), *BATCH, "eval")


def test_one_image_cannot_pass_a_norm_of_pooled_features_in_train_mode():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.BatchNorm1d(4))
    assert sign_agreement(model, *BATCH, "eval").agreement > 0
    with pytest.raises(ScoreUndefinedError, match=r"more than 1 value per channel.*mode='eval'"):
        sign_agreement(model, *BATCH, "train")
    bad_forward = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Unflatten(1, (3, 3)))
    with pytest.raises(RuntimeError, match=r"(?i)unflatten"):
        sign_agreement(bad_forward, *BATCH, "train")


def test_an_overflow_is_no_agreement():
    model = TwoHeads()
    with torch.no_grad():
        model.first.weight.fill_(float("inf"))
    with pytest.raises(ScoreUndefinedError, match=r"gradients of 2 of 3 weight tensors hold NaN"):
        gradient_signs(model, *BATCH)


@pytest.mark.parametrize("inplace", [True, False])
def test_sensitivity_without_copies_unless_outputs_are_overwritten(inplace):
    """The network is called a second time where an activation overwrote an output."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.SiLU(inplace), nn.Linear(4, 4))
    calls = []
    model.register_forward_pre_hook(lambda *_: calls.append(1))
    found = loss_pass(model.double(), BATCH[0].double(), BATCH[1], "eval")
    assert len(calls) == (2 if inplace else 1)

    hidden = model[1](BATCH[0].double().flatten(1))
    logits = model[3](F.silu(hidden))
    loss = F.cross_entropy(logits, BATCH[1])
    gradients = torch.autograd.grad(loss, [hidden, logits])
    sums = (
        n_in * (a * g).square().mean(dim=0).sum() / 2
        for n_in, a, g in zip((12, 4), (hidden, logits), gradients, strict=True)
    )
    assert found.sensitivity == pytest.approx(sum(sums).item(), rel=1e-12)
