import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.zero_cost.gradsign import gradsign


def test_closed_form(layer, as_images):
    """∂ℓ/∂W = (p − y) xᵀ. Signs per image (rows of classes 0, 1; both features):

    x = (1, −1), y = 0: (− +, + −);  x = (2, 1), y = 0: (− −, + +);  x = (1, 0), y = 1: (+ 0, − 0).
    Sums (−1 0, 1 0), so the agreement is 2.
    """
    images, labels = as_images([[1.0, -1.0], [2.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 0, 1])
    model = layer([[0.3, 0.1], [-0.2, 0.4]])
    assert gradsign(model=model, probe_images=images, probe_labels=labels) == 2
    same = torch.zeros(3, dtype=torch.int64)
    # All of class 0: sums (−3 0 … ) with the second feature + − 0.
    assert gradsign(model=model, probe_images=images, probe_labels=same) == 6


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, batch, mode):
    rows = []
    for image, label in zip(*batch, strict=True):
        model = small_cnn().train(mode == "paper")
        F.cross_entropy(model(image[None]), label[None]).backward()
        rows.append(np.concatenate([model[i].weight.grad.numpy().ravel() for i in (0, 3, 7)]))
    expected = np.abs(np.sign(rows).sum(axis=0)).sum()
    found = gradsign(model=small_cnn(), probe_images=batch[0], probe_labels=batch[1], mode=mode)
    assert found == expected


@pytest.mark.parametrize(
    ("mode", "reference"),
    [
        ("eval", "gradsign_sum/eval"),
        ("paper", "gradsign_sum/train"),
        ("paper", "gradsign_sum_naswot_copy/train"),
    ],
)
def test_published_programs(case, mode, reference, parity):
    # In float32 another machine's rounding may turn the sign of a gradient of almost zero.
    rel = 1e-9 if case.dtype == torch.float64 else 3e-4
    parity.network(case, reference, gradsign(**case.givens, mode=mode), rel=rel)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    images, labels = batch
    model = small_cnn()
    found = gradsign(model=model, probe_images=images[order], probe_labels=labels[order])
    assert found == gradsign(model=model, probe_images=images, probe_labels=labels)


class Tempered(nn.Module):
    """Centred logits times a factor: for two classes this keeps every gradient's sign."""

    def __init__(self, model, factor):
        super().__init__()
        self.model, self.factor = model, factor

    def forward(self, images):
        return self.factor * self.model(images)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 3))
def test_scale_of_two_logits(layer, as_images, factor):
    """With two classes the scale of the logits only scales each image's gradient."""
    images, labels = as_images([[1.0, -1.0], [2.0, 1.0], [1.0, 0.5]]), torch.tensor([0, 0, 1])
    model = layer([[0.3, 0.1], [-0.2, 0.4]])
    found = gradsign(model=Tempered(model, factor), probe_images=images, probe_labels=labels)
    assert found == gradsign(model=model, probe_images=images, probe_labels=labels)


def test_bound_is_reached_when_all_images_are_one(small_cnn, batch):
    images, labels = batch[0][:1].expand(6, -1, -1, -1), batch[1][:1].expand(6)
    model = small_cnn(activation=nn.SiLU)  # no dead units
    found = gradsign(model=model, probe_images=images, probe_labels=labels)
    assert found == 6 * sum(model[i].weight.numel() for i in (0, 3, 7))


def test_zero_head_leaves_the_head_only(small_cnn, batch):
    model = small_cnn(activation=nn.SiLU)
    nn.init.zeros_(model[7].weight)
    found = gradsign(model=model, probe_images=batch[0], probe_labels=batch[1])
    assert 0 < found <= 6 * model[7].weight.numel()


def test_errors(small_cnn, batch):
    givens = {"model": small_cnn(), "probe_images": batch[0], "probe_labels": batch[1]}
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'test'"):
        gradsign(**givens, mode="test")
    givens["model"] = nn.Sequential(
        nn.Flatten(), nn.Linear(192, 3), nn.BatchNorm1d(3), nn.Linear(3, 4)
    ).double()
    with pytest.raises(ScoreUndefinedError, match=r"more than 1 value per channel.*'eval'"):
        gradsign(**givens, mode="paper")
    with torch.no_grad():
        givens["model"][1].weight.fill_(float("inf"))
    with pytest.raises(ScoreUndefinedError, match="gradients of 2 of 2 weight tensors hold NaN"):
        gradsign(**givens)
