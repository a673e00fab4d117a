import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities import tangent_kernel as module
from zoo_eval.scores.zero_cost.ntk_condition import ntk_condition


def test_closed_form(layer, as_images):
    """The gradient of w₁·x + w₂·x is (x, x): Θ = 2 X Xᵀ, here twice diag(9, 4)."""
    model = layer([[1.0, 2.0], [0.0, 5.0]], bias=[1.0, 1.0])
    found = ntk_condition(model=model, probe_images=as_images([[3.0, 0.0], [0.0, 2.0]]))
    np.testing.assert_allclose(found, 9 / 4, rtol=1e-12)


def slow(model, images, train):
    """All gradients as one matrix; norm scales count, biases do not."""
    rows = []
    for i in range(len(images)):
        model.train(train).zero_grad()
        response = model(images)[i] if train else model(images[i : i + 1])
        response.sum().backward()
        grads = [p.grad.numpy().ravel() for name, p in model.named_parameters() if "weight" in name]
        rows.append(np.concatenate(grads))
    singular_values = np.linalg.svd(np.array(rows), compute_uv=False)
    return (singular_values[0] / singular_values[-1]) ** 2


@pytest.mark.parametrize("mode", ["eval", "paper"])
@pytest.mark.parametrize("held", [1 << 28, 500])
def test_slow_version(small_cnn, batch, mode, held, monkeypatch):
    """Groups of parameters that fit into memory change nothing."""
    monkeypatch.setattr(module, "_HELD", held)
    monkeypatch.setattr(module, "_CHUNK", 7)
    found = ntk_condition(model=small_cnn(), probe_images=batch[0], mode=mode)
    expected = slow(small_cnn(), batch[0], mode == "paper")
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("mode", "reference"), [("eval", "ntk_cond/eval"), ("paper", "ntk_cond/train")]
)
def test_published_program(case, mode, reference, parity):
    found = ntk_condition(model=case.model, probe_images=case.images, mode=mode)
    parity.network(case, reference, found)


@settings(max_examples=10)
@given(st.permutations(range(6)), st.floats(1e-3, 1e3))
def test_order_of_images_and_scale_of_the_logits(small_cnn, batch, order, factor):
    model = nn.Sequential(small_cnn(), Times(factor))
    found = ntk_condition(model=model, probe_images=batch[0][order])
    expected = ntk_condition(model=small_cnn(), probe_images=batch[0])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


@settings(max_examples=10)
@given(st.integers(2, 4), st.integers(0, 100))
def test_bound(layer, n, seed):
    images = torch.randn(n, 5, 1, 1, generator=torch.Generator().manual_seed(seed)).double()
    assert ntk_condition(model=layer([[1.0] * 5]), probe_images=images) >= 1


def test_orthogonal_images_give_one(layer, as_images):
    images = as_images(np.eye(3).tolist())
    assert ntk_condition(model=layer([[1.0, 2.0, 3.0]]), probe_images=images) == 1


def test_errors(small_cnn, batch, layer):
    images = batch[0]
    with pytest.raises(InputError, match="compares images, but got 1 of them"):
        ntk_condition(model=small_cnn(), probe_images=images[:1])
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        ntk_condition(model=small_cnn(), probe_images=images, mode="train")
    with pytest.raises(ScoreUndefinedError, match=r"Flatten has no parameter .* among its 0"):
        ntk_condition(model=nn.Flatten(), probe_images=images)
    repeated = images.clone()
    repeated[1] = repeated[0]
    with pytest.raises(ScoreUndefinedError, match=r"of 6 images is singular: .* from -?\d.* to \d"):
        ntk_condition(model=small_cnn(), probe_images=repeated)
    bad = images.clone()
    bad[2, 0, 0, 0] = float("nan")
    with pytest.raises(ScoreUndefinedError, match="gradients of 1 of 6 images are NaN or infinite"):
        ntk_condition(model=small_cnn(), probe_images=bad)
