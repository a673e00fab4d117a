import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo_eval.errors import InputError
from zoo_eval.quantities.gradients import WeightGradient
from zoo_eval.scores.zero_cost.grad_norm import grad_norm


def test_closed_form(layer, as_images):
    """Zero weights give p = 1/2, so ∂ℓ/∂W = (p − y) xᵀ = ∓½ x in each of two rows."""
    model = layer([[0.0, 0.0], [0.0, 0.0]])
    found = grad_norm(model=model, probe_images=as_images([[3.0, 4.0]]), probe_labels=LABEL)
    np.testing.assert_allclose(found, np.sqrt(2) * 2.5, rtol=1e-12)


LABEL = torch.tensor([1])


def slow(model, images, labels, train):
    model.train(train).zero_grad()
    F.cross_entropy(model(images), labels).backward()
    return sum(np.linalg.norm(model[i].weight.grad.numpy()) for i in (0, 3, 7))


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, batch, mode):
    found = grad_norm(model=small_cnn(), probe_images=batch[0], probe_labels=batch[1], mode=mode)
    np.testing.assert_allclose(found, slow(small_cnn(), *batch, mode == "paper"), rtol=1e-12)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_published_program(case, mode, parity):
    metric = {"eval": "grad_norm/eval", "paper": "grad_norm/train"}[mode]
    parity.network(case, metric, grad_norm(**case.givens, mode=mode))


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    images, labels = batch
    found = grad_norm(model=small_cnn(), probe_images=images[order], probe_labels=labels[order])
    expected = grad_norm(model=small_cnn(), probe_images=images, probe_labels=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e3))
def test_proportional_to_the_loss(layer, as_images, factor):
    gradients = (WeightGradient("w", torch.ones(2, 2), torch.tensor([[3.0, 0.0], [0.0, 4.0]])),)
    scaled = tuple(layer._replace(gradient=factor * layer.gradient) for layer in gradients)
    arguments = layer([[1.0]]), as_images([[1.0]]), LABEL
    assert grad_norm(*arguments, gradients) == 5
    np.testing.assert_allclose(grad_norm(*arguments, scaled), factor * 5, rtol=1e-6)  # float32


def test_zero_head_leaves_its_own_gradient_only(small_cnn, batch):
    model = small_cnn()
    torch.nn.init.zeros_(model[7].weight)
    model.zero_grad()
    F.cross_entropy(model(batch[0]), batch[1]).backward()
    found = grad_norm(model=model, probe_images=batch[0], probe_labels=batch[1])
    np.testing.assert_allclose(found, float(model[7].weight.grad.norm()), rtol=1e-12)


def test_unknown_mode(small_cnn, batch):
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        grad_norm(model=small_cnn(), probe_images=batch[0], probe_labels=batch[1], mode="train")
