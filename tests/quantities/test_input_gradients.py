import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.input_gradients import input_gradients, summed_logit_gradients

IMAGES = torch.tensor([[[[1.0, -2.0]]], [[[3.0, 0.5]]]], dtype=torch.float64)


class Squares(nn.Module):
    """Three logits x₁², x₁ x₂, 5 of each image."""

    def forward(self, images):
        a, b = images.flatten(1).unbind(1)
        return torch.stack([a**2, a * b, 5 + 0 * a], dim=1)


def test_closed_form():
    """∂(a² + ab)/∂(a, b) = (2a + b, a)."""
    found = input_gradients(Squares(), IMAGES)
    np.testing.assert_allclose(found.rows, [[0.0, 1.0], [6.5, 3.0]])
    assert found.n_outputs == 3


def batch_norm_network():
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(2), Cube()).double()
    return model.train()


class Cube(nn.Module):
    def forward(self, x):
        return x**3


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_rows_are_gradients_of_the_whole_batch(mode):
    """By central differences; in eval mode an image moves only its own logits."""
    model = batch_norm_network().train(mode == "train")
    found = summed_logit_gradients(batch_norm_network(), IMAGES, mode).rows
    step = 1e-5
    for i, j in np.ndindex(2, 2):
        moved = [IMAGES.clone(), IMAGES.clone()]
        moved[0][i, 0, 0, j] += step
        moved[1][i, 0, 0, j] -= step
        with torch.no_grad():
            up, down = (float(model(m).sum()) for m in moved)
        # A central difference is exact to the square of the step, here about 1e-10 of the value.
        np.testing.assert_allclose(
            float(found[i, j]), (up - down) / (2 * step), rtol=1e-6, atol=1e-7
        )


def test_nothing_is_left_behind():
    model = batch_norm_network()
    summed_logit_gradients(model, IMAGES, "train")
    assert IMAGES.grad is None
    assert not IMAGES.requires_grad
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    assert int(model[1].num_batches_tracked) == 0


def test_an_output_without_the_image_has_zero_gradients():
    class Constant(nn.Module):
        def forward(self, images):
            return torch.ones(len(images), 4)

    found = input_gradients(Constant(), IMAGES)
    assert torch.equal(found.rows, torch.zeros(2, 2).double())
    assert found.n_outputs == 4


def test_infinite_gradients():
    images = IMAGES.clone()
    images[1, 0, 0, 0] = float("inf")
    with pytest.raises(ScoreUndefinedError, match="gradients of 1 of 2 images are NaN or infinite"):
        input_gradients(Squares(), images)
