"""Σ w·g and H w by the terms of layers, against torch's own second derivatives."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo_eval.quantities.gradients import needed_weights
from zoo_eval.scores.zero_cost._convolution import Convolution
from zoo_eval.scores.zero_cost._weight_terms import WeightTerms
from zoo_eval.scores.zero_cost.grasp import grasp


@pytest.mark.parametrize("geometry", [([1], [0], [1], 1), ([2], [1], [2], 2)])
@pytest.mark.parametrize("n_dimensions", [1, 2, 3])
def test_first_and_second_derivatives_of_a_convolution(n_dimensions, geometry):
    generator = torch.Generator().manual_seed(0)
    stride, padding, dilation, groups = geometry
    steps = [size * n_dimensions for size in (stride, padding, dilation)]
    x = torch.randn(2, 4, *[6] * n_dimensions, generator=generator, dtype=torch.float64)
    w = torch.randn(4, 4 // groups, *[3] * n_dimensions, generator=generator, dtype=torch.float64)
    function = (F.conv1d, F.conv2d, F.conv3d)[n_dimensions - 1]
    ours = (*steps, False, [0] * n_dimensions, groups)

    def derivatives(outputs):
        weight, image = w.clone().requires_grad_(), x.clone().requires_grad_()
        y = outputs(image.tanh(), weight)
        loss = y.tanh().sum()
        (delta,) = torch.autograd.grad(loss, y, create_graph=True)
        (of_image, of_weight) = torch.autograd.grad(
            loss, [image, weight], create_graph=True, retain_graph=True
        )
        second = torch.autograd.grad(of_image.square().sum() + (delta * y).sum(), [image, weight])
        return [of_image, of_weight, *second]

    found = derivatives(lambda image, weight: Convolution.apply(image, weight, ours))
    expected = derivatives(lambda image, weight: function(image, weight, None, *steps, groups))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


class Ways(nn.Module):
    """A layer used twice, past its module too; a weight changed before use; a padding by name."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding="same", bias=False)
        self.act = nn.SiLU(inplace=True)
        self.twice, self.changed = nn.Linear(3, 3), nn.Linear(3, 3)
        self.unused, self.head = nn.Linear(2, 2), nn.Linear(3, 4)

    def forward(self, images):
        x = self.act(self.conv(images)).mean(dim=(2, 3))
        x = self.twice(x).tanh() + F.linear(input=x, weight=self.twice.weight)
        x = F.linear(x, self.changed.weight / self.changed.weight.norm()).tanh()
        return self.head(x) * self.head.weight.norm()


def test_every_way_of_a_weight_counts(batch):
    """Against H g with all first derivatives differentiated again."""
    torch.manual_seed(0)
    model = Ways().double()
    weights = [weight for _, weight in needed_weights(model)]
    loss = F.cross_entropy(model(batch[0]), batch[1])
    first = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
    product = sum((g * g.detach()).sum() for g in first)
    second = torch.autograd.grad(product, weights, materialize_grads=True)
    expected = -sum((w * hg).sum().item() for w, hg in zip(weights, second, strict=True))
    found = grasp(model=model, probe_images=batch[0], probe_labels=batch[1])
    assert found == pytest.approx(expected, rel=1e-9)


def test_terms_are_the_outputs_without_bias(small_cnn, batch):
    model = small_cnn()
    weights = [weight for _, weight in needed_weights(model)]
    with WeightTerms(weights) as terms:
        logits = model(batch[0])
    assert len(terms.terms) == len(weights)
    torch.testing.assert_close(terms.terms[-1] + model[-1].bias, logits)
    assert all(c.data_ptr() == w.data_ptr() for c, w in zip(terms.copies, weights, strict=True))
