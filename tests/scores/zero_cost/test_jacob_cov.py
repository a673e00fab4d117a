import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.zero_cost.jacob_cov import jacob_cov


class Quadratic(nn.Module):
    """Logits whose sum is ½ Σ x², so that the gradient is the image itself."""

    def forward(self, images):
        x = images.flatten(1)
        return x.square() / 2


def expected_from(correlations):
    values = np.linalg.eigvalsh(correlations) + 1e-5
    return -np.sum(np.log(values) + 1 / values)


def test_closed_form(as_images):
    """Two images with gradients of correlation ½: eigenvalues ½ and 3/2."""
    images = as_images([[1.0, -1.0, 0.0], [0.0, -1.0, 1.0]])
    low, high = 0.5 + 1e-5, 1.5 + 1e-5
    expected = -(np.log(low) + 1 / low + np.log(high) + 1 / high)
    np.testing.assert_allclose(
        jacob_cov(model=Quadratic(), probe_images=images), expected, rtol=1e-12
    )


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, batch, mode):
    """Pixel gradients by hand; numpy's corrcoef."""
    model = small_cnn().train(mode == "paper")
    images = batch[0].clone().requires_grad_()
    model(images).sum().backward()
    expected = expected_from(np.corrcoef(images.grad.flatten(1).numpy()))
    found = jacob_cov(model=small_cnn(), probe_images=batch[0], mode=mode)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("reference", ["jacob_cov", "jacov_naslib"])
@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_published_programs(case, mode, reference, parity):
    metric = f"{reference}/{'train' if mode == 'paper' else mode}"
    found = jacob_cov(model=case.model, probe_images=case.images, mode=mode)
    parity.network(case, metric, found)


@settings(max_examples=10)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    found = jacob_cov(model=small_cnn(), probe_images=batch[0][order])
    np.testing.assert_allclose(
        found, jacob_cov(model=small_cnn(), probe_images=batch[0]), rtol=1e-9
    )


@settings(max_examples=10)
@given(st.floats(1e-3, 1e3))
def test_scale_of_the_logits(small_cnn, batch, factor):
    model = small_cnn()
    with torch.no_grad():
        model[7].weight *= factor
    np.testing.assert_allclose(
        jacob_cov(model=model, probe_images=batch[0]),
        jacob_cov(model=small_cnn(), probe_images=batch[0]),
        rtol=1e-9,
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 8), st.integers(0, 100))
def test_bound(n, seed):
    images = torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    assert jacob_cov(model=Quadratic(), probe_images=images.double()) <= -n


def test_repeated_image_costs_a_hundred_thousand(batch):
    images = batch[0].clone()
    images[1] = images[0]
    assert -1.01e5 < jacob_cov(model=Quadratic(), probe_images=images) < -0.99e5


def test_errors(small_cnn, batch):
    with pytest.raises(InputError, match="compares images, but got 1 of them"):
        jacob_cov(model=small_cnn(), probe_images=batch[0][:1])
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        jacob_cov(model=small_cnn(), probe_images=batch[0], mode="train")
    images = batch[0].clone()
    images[4] = 0.1
    with pytest.raises(ScoreUndefinedError, match=r"1 of 6 images do not \(first: image 4\)"):
        jacob_cov(model=Quadratic(), probe_images=images)
    model = small_cnn()
    nn.init.zeros_(model[7].weight)
    with pytest.raises(ScoreUndefinedError, match=r"6 of 6 images do not .*classifier zero"):
        jacob_cov(model=model, probe_images=batch[0])
    images[4, 0, 0, 0] = float("inf")
    with pytest.raises(ScoreUndefinedError, match="gradients of 1 of 6 images are NaN or infinite"):
        jacob_cov(model=Quadratic(), probe_images=images)
