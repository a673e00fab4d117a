import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo_eval.errors import InputError
from zoo_eval.quantities.gradients import WeightGradient, loss_gradients
from zoo_eval.scores.zero_cost.plain import plain


def test_closed_form(layer, as_images):
    """Two outputs 3 and 3 + ln 3 give p = (1/4, 3/4); label 1: Σ w ∂ℓ/∂w = Σ (p − y) output."""
    model = layer([[1.0, 0.0], [1.0, np.log(3) / 4]])
    found = plain(model=model, probe_images=as_images([[3.0, 4.0]]), probe_labels=LABEL)
    np.testing.assert_allclose(found, (3 - (3 + np.log(3))) / 4, rtol=1e-12)


LABEL = torch.tensor([1])


def slow(model, images, labels, train):
    model.train(train).zero_grad()
    F.cross_entropy(model(images), labels).backward()
    weights = [model[i].weight for i in (0, 3, 7)]
    return sum(float((w.detach().numpy() * w.grad.numpy()).sum()) for w in weights)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, batch, mode):
    found = plain(model=small_cnn(), probe_images=batch[0], probe_labels=batch[1], mode=mode)
    np.testing.assert_allclose(found, slow(small_cnn(), *batch, mode == "paper"), rtol=1e-12)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_published_program(case, mode, parity):
    metric = {"eval": "plain/eval", "paper": "plain/train"}[mode]
    parity.network(case, metric, plain(**case.givens, mode=mode))


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    images, labels = batch
    found = plain(model=small_cnn(), probe_images=images[order], probe_labels=labels[order])
    expected = plain(model=small_cnn(), probe_images=images, probe_labels=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e3))
def test_proportional_to_the_loss(layer, as_images, factor):
    gradients = (WeightGradient("w", torch.tensor([-1.0, 2.0]), torch.tensor([-1.0, 2.0])),)
    scaled = tuple(layer._replace(gradient=factor * layer.gradient) for layer in gradients)
    arguments = layer([[1.0]]), as_images([[1.0]]), LABEL
    assert plain(*arguments, gradients) == 5
    np.testing.assert_allclose(plain(*arguments, scaled), factor * 5, rtol=1e-6)  # float32


def test_layers_before_a_norm_of_the_batch_add_nothing(small_cnn, batch):
    """The loss does not see the scale of the first convolution, up to batch norm's ε.

    A bias before the norm is scale-free too, but only weights are summed; take it away.
    """
    model = small_cnn()
    model[0].bias = None
    model[1].eps = 1e-14
    first, *_ = loss_gradients(model, *batch, "train")
    products = first.weight * first.gradient
    assert float(products.abs().sum()) > 1e-3
    np.testing.assert_allclose(float(products.sum()), 0, atol=1e-11)


def test_unknown_mode(small_cnn, batch):
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        plain(model=small_cnn(), probe_images=batch[0], probe_labels=batch[1], mode="train")
