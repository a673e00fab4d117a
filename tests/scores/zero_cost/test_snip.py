import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo_eval.errors import InputError
from zoo_eval.quantities.gradients import WeightGradient
from zoo_eval.scores.zero_cost.snip import snip


def test_closed_form(layer, as_images):
    """Equal rows give p = 1/2, so ∂ℓ/∂W = (p − y) xᵀ = ∓½ x in each of two rows."""
    model = layer([[1.0, -2.0], [1.0, -2.0]])
    found = snip(model=model, probe_images=as_images([[3.0, 4.0]]), probe_labels=LABEL)
    np.testing.assert_allclose(found, 2 * (3 + 8) / 2, rtol=1e-12)


LABEL = torch.tensor([1])


def slow(model, images, labels, train):
    model.train(train).zero_grad()
    F.cross_entropy(model(images), labels).backward()
    weights = [model[i].weight for i in (0, 3, 7)]
    return sum(float(abs(w.detach().numpy() * w.grad.numpy()).sum()) for w in weights)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, batch, mode):
    found = snip(model=small_cnn(), probe_images=batch[0], probe_labels=batch[1], mode=mode)
    np.testing.assert_allclose(found, slow(small_cnn(), *batch, mode == "paper"), rtol=1e-12)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_published_program(case, mode, parity):
    metric = {"eval": "snip/eval", "paper": "snip/train"}[mode]
    parity.network(case, metric, snip(**case.givens, mode=mode))


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    images, labels = batch
    found = snip(model=small_cnn(), probe_images=images[order], probe_labels=labels[order])
    expected = snip(model=small_cnn(), probe_images=images, probe_labels=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e3))
def test_proportional_to_the_loss(layer, as_images, factor):
    gradients = (WeightGradient("w", torch.tensor([2.0, 1.0]), torch.tensor([-1.0, 3.0])),)
    scaled = tuple(layer._replace(gradient=factor * layer.gradient) for layer in gradients)
    arguments = layer([[1.0]]), as_images([[1.0]]), LABEL
    assert snip(*arguments, gradients) == 5
    np.testing.assert_allclose(snip(*arguments, scaled), factor * 5, rtol=1e-6)  # float32


def test_zero_head(small_cnn, batch):
    model = small_cnn()
    torch.nn.init.zeros_(model[7].weight)
    assert snip(model=model, probe_images=batch[0], probe_labels=batch[1]) == 0


class Standardised(torch.nn.Linear):
    """Uses its weight less the mean, as weight standardisation does."""

    def forward(self, x):
        return F.linear(x, self.weight - self.weight.mean(), self.bias)


def test_a_mask_on_the_weights_gives_the_same(batch):
    """The paper's own definition: |∂L/∂m| at m = 1, with W ⊙ m in place of W."""
    images, labels = batch
    model = torch.nn.Sequential(torch.nn.Flatten(), Standardised(192, 4)).double()
    weight = model[1].weight.detach()
    mask = torch.ones_like(weight, requires_grad=True)
    logits = torch.func.functional_call(model, {"1.weight": weight * mask}, (images,))
    (gradient,) = torch.autograd.grad(F.cross_entropy(logits, labels), [mask])
    found = snip(model=model, probe_images=images, probe_labels=labels)
    np.testing.assert_allclose(found, float(gradient.abs().sum()), rtol=1e-12)


def test_unknown_mode(small_cnn, batch):
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        snip(model=small_cnn(), probe_images=batch[0], probe_labels=batch[1], mode="train")
