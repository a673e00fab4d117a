import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError
from zoo_eval.quantities.gradient_signs import GradientSigns
from zoo_eval.scores import SCORES
from zoo_eval.scores.zero_cost.gradsign_mean import gradsign_mean


def test_closed_form(layer, as_images):
    """See test_gradsign: the signs of four weights add up to (−1 0, 1 0)."""
    images, labels = as_images([[1.0, -1.0], [2.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 0, 1])
    model = layer([[0.3, 0.1], [-0.2, 0.4]])
    assert gradsign_mean(model=model, probe_images=images, probe_labels=labels) == 0.5
    assert gradsign_mean(model, images, labels, GradientSigns(6.0, n_weights=4)) == 1.5


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_is_the_sum_per_weight(small_cnn, batch, mode):
    model = small_cnn()
    givens = {"model": model, "probe_images": batch[0], "probe_labels": batch[1], "mode": mode}
    n_weights = sum(model[i].weight.numel() for i in (0, 3, 7))
    np.testing.assert_allclose(
        gradsign_mean(**givens), SCORES["gradsign"](**givens) / n_weights, rtol=1e-15
    )


@pytest.mark.parametrize(
    ("mode", "reference"),
    [
        ("eval", "gradsign_mean/eval"),
        ("paper", "gradsign_mean/train"),
        ("paper", "gradsign_mean_aznas/train"),
    ],
)
def test_published_programs(case, mode, reference, parity):
    # In float32 another machine's rounding may turn the sign of a gradient of almost zero.
    rel = 1e-9 if case.dtype == torch.float64 else 3e-4
    parity.network(case, reference, gradsign_mean(**case.givens, mode=mode), rel=rel)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    images, labels = batch
    model = small_cnn()
    found = gradsign_mean(model=model, probe_images=images[order], probe_labels=labels[order])
    assert found == gradsign_mean(model=model, probe_images=images, probe_labels=labels)


def test_bound_is_reached_when_all_images_are_one(small_cnn, batch):
    images, labels = batch[0][:1].expand(6, -1, -1, -1), batch[1][:1].expand(6)
    model = small_cnn(activation=nn.SiLU)
    assert gradsign_mean(model=model, probe_images=images, probe_labels=labels) == 6


def test_unknown_mode(small_cnn, batch):
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'test'"):
        gradsign_mean(model=small_cnn(), probe_images=batch[0], probe_labels=batch[1], mode="test")
