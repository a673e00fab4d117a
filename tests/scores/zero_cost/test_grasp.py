import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.zero_cost.grasp import grasp


def test_closed_form(layer, as_images):
    """One image x, two classes, d = (w₀ − w₁)·x, p = σ(d), label 0.

    g = ∓(1 − p) x, H g = ±p(1 − p) · (−2)(1 − p)|x|² x per row, so that
    −Σ w H g = 2 p (1 − p)² |x|² d.
    """
    x, weight = np.array([1.0, 2.0]), np.array([[0.5, 0.3], [-0.1, 0.2]])
    d = (weight[0] - weight[1]) @ x
    p = 1 / (1 + np.exp(-d))
    found = grasp(
        model=layer(weight.tolist()),
        probe_images=as_images([x.tolist()]),
        probe_labels=torch.tensor([0]),
    )
    np.testing.assert_allclose(found, 2 * p * (1 - p) ** 2 * (x @ x) * d, rtol=1e-12)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_full_hessian(small_cnn, batch, mode):
    """The slow version: the whole Hessian of the loss in the 507 weights."""
    images, labels = batch
    model = small_cnn(activation=nn.SiLU).train(mode == "paper")
    names = [f"{i}.weight" for i in (0, 3, 7)]
    shapes = [model[i].weight.shape for i in (0, 3, 7)]
    sizes = [shape.numel() for shape in shapes]
    flat = torch.cat([model[i].weight.detach().flatten() for i in (0, 3, 7)])

    def loss(vector):
        parts = [p.view(s) for p, s in zip(vector.split(sizes), shapes, strict=True)]
        weights = dict(zip(names, parts, strict=True))
        return F.cross_entropy(torch.func.functional_call(model, weights, (images,)), labels)

    hessian = torch.autograd.functional.hessian(loss, flat)
    gradient = torch.autograd.functional.jacobian(loss, flat)
    found = grasp(
        model=small_cnn(activation=nn.SiLU), probe_images=images, probe_labels=labels, mode=mode
    )
    np.testing.assert_allclose(found, -float(flat @ hessian @ gradient), rtol=1e-9)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_published_program(case, mode, parity):
    metric = {"eval": "grasp/eval", "paper": "grasp/train"}[mode]
    parity.network(case, metric, grasp(**case.givens, mode=mode))


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    images, labels = batch
    found = grasp(model=small_cnn(), probe_images=images[order], probe_labels=labels[order])
    expected = grasp(model=small_cnn(), probe_images=images, probe_labels=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


class Attention(nn.Module):
    """Attention on the pixels through torch's fused function."""

    def __init__(self):
        super().__init__()
        self.qkv, self.head, self.fused = nn.Linear(3, 12), nn.Linear(4, 4), True

    def forward(self, images):
        q, k, v = self.qkv(images.flatten(2).transpose(1, 2)).unsqueeze(1).chunk(3, dim=-1)
        if self.fused:
            x = F.scaled_dot_product_attention(q, k, v)
        else:
            x = (q @ k.transpose(-2, -1) / 2).softmax(-1) @ v
        return self.head(x.mean(dim=(1, 2)))


def test_fused_attention_is_taken_apart(batch):
    model = Attention().double()
    givens = {"model": model, "probe_images": batch[0], "probe_labels": batch[1]}
    fused = grasp(**givens)
    model.fused = False
    np.testing.assert_allclose(fused, grasp(**givens), rtol=1e-9)


def test_hard_sigmoid_gates(batch):
    """As in MobileNet v3; torch itself has no second derivative for them."""
    images, labels = batch
    scores = []
    for gate in (nn.Hardsigmoid(), Relu6Gate()):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(192, 5), gate, nn.Linear(5, 4)).double()
        scores.append(grasp(model=model, probe_images=images, probe_labels=labels))
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-12)


class Relu6Gate(nn.Module):
    def forward(self, x):
        return (x + 3).clamp(0, 6) / 6


class Constant(nn.Module):
    """Logits that are the weights' function only through a detached copy: no gradient."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Linear(2, 2)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images):
        return images.flatten(1)[:, :4] * self.scale


def test_weights_without_influence_give_zero(batch):
    model = Constant().double()
    assert grasp(model=model, probe_images=batch[0], probe_labels=batch[1]) == 0


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        return 2 * ctx.saved_tensors[0] * gradient


class Square(nn.Module):
    def forward(self, x):
        return Once.apply(x)


def test_errors(small_cnn, batch):
    images, labels = batch
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        grasp(model=small_cnn(), probe_images=images, probe_labels=labels, mode="train")
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), Square()).double()
    with pytest.raises(ScoreUndefinedError, match=r"second derivatives, but Sequential .* once"):
        grasp(model=model, probe_images=images, probe_labels=labels)
    with pytest.raises(ScoreUndefinedError, match="Flatten has no convolution"):
        grasp(model=nn.Flatten(), probe_images=images, probe_labels=labels)


def test_other_errors_of_torch_are_not_hidden(batch):
    model = nn.Sequential(nn.Flatten(), nn.Linear(7, 4)).double()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        grasp(model=model, probe_images=batch[0], probe_labels=batch[1])


class Length(torch.nn.Module):
    """The length of what its layer returns, whose second derivative at zero is NaN."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(192, 4, bias=False)
        self.head = torch.nn.Linear(1, 4)

    def forward(self, x):
        return self.head(self.inner(x.flatten(1)).norm(dim=1, keepdim=True))


def test_second_derivatives_that_are_nan(batch):
    model = Length().double()
    torch.nn.init.zeros_(model.inner.weight)
    with pytest.raises(ScoreUndefinedError, match=r"1 of 2 weights of Length .* inner.weight"):
        grasp(model=model, probe_images=batch[0], probe_labels=batch[1])
