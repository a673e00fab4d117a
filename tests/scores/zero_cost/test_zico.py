import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.zero_cost.zico import zico


def test_closed_form(layer, as_images):
    """Equal rows give p = ½, so the gradients are ∓½ x: −½ and −3/2, then 0 (left out).

    μ = 1, σ = ½ in two weights: Σ = 4. The head that follows is fed 0 and has no say.
    """
    model = layer([[1.0, 1.0], [1.0, 1.0]])
    images, labels = as_images([[1.0, 0.0], [3.0, 0.0]]), torch.tensor([1, 1])
    found = zico(model=model, probe_images=images, probe_labels=labels, batches=2)
    np.testing.assert_allclose(found, np.log(4), rtol=1e-12)


def slow(model, images, labels, batches, train):
    rows = []
    for part in np.array_split(np.arange(len(images)), batches):
        model.train(train).zero_grad()
        F.cross_entropy(model(images[part]), labels[part]).backward()
        rows.append([model[i].weight.grad.numpy().ravel().copy() for i in (0, 3, 7)])
    total = 0.0
    for layer in zip(*rows, strict=True):
        gradients = np.stack(layer)
        deviations = gradients.std(axis=0)
        magnitudes = np.abs(gradients).mean(axis=0)
        total += np.log((magnitudes[deviations > 0] / deviations[deviations > 0]).sum())
    return total


@pytest.mark.parametrize("batches", [2, 3, 4])
@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, batch, mode, batches):
    found = zico(
        model=small_cnn(), probe_images=batch[0], probe_labels=batch[1], batches=batches, mode=mode
    )
    expected = slow(small_cnn(), *batch, batches, mode == "paper")
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(("batches", "reference"), [(2, "zico/2batches"), (4, "zico/4batches")])
def test_published_program(case, batches, reference, parity):
    parity.network(case, reference, zico(**case.givens, batches=batches, mode="paper"))


@settings(max_examples=10)
@given(st.permutations(range(3)), st.permutations(range(3)))
def test_order_of_images_within_each_part(small_cnn, batch, first, second):
    images, labels = batch
    order = [*first, *(3 + i for i in second)]
    givens = {"model": small_cnn(), "batches": 2}
    found = zico(**givens, probe_images=images[order], probe_labels=labels[order])
    expected = zico(**givens, probe_images=images, probe_labels=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    swapped = [3, 4, 5, 0, 1, 2]
    found = zico(**givens, probe_images=images[swapped], probe_labels=labels[swapped])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


class Scaled(nn.Module):
    """Two logits around their mean, times a factor: the gradients' scale, at p = ½."""

    def __init__(self, model, factor):
        super().__init__()
        self.model, self.factor = model, factor

    def forward(self, images):
        return self.factor * self.model(images)


@settings(max_examples=10)
@given(st.floats(1e-30, 1e30))
def test_scale_of_the_loss_in_float32(layer, as_images, factor):
    """Also where the square of a gradient would underflow."""
    images, labels = as_images([[1.0], [3.0], [0.5]]).float(), torch.tensor([1, 1, 0])
    model = layer([[1.0], [1.0]]).float()
    found = zico(model=Scaled(model, factor), probe_images=images, probe_labels=labels, batches=3)
    # Gradients ½, 3/2, −¼: μ = ¾, σ² = (¼ + 9/4 + 1/16) / 3 − (7/12)², in both weights.
    deviation = np.sqrt((1 / 4 + 9 / 4 + 1 / 16) / 3 - (7 / 12) ** 2)
    np.testing.assert_allclose(found, np.log(2 * 0.75 / deviation), rtol=1e-5)  # float32


def test_errors(small_cnn, batch, layer, as_images):
    givens = {"model": small_cnn(), "probe_images": batch[0], "probe_labels": batch[1]}
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        zico(**givens, mode="train")
    with pytest.raises(InputError, match="two or more batches, but got batches=1"):
        zico(**givens, batches=1)
    with pytest.raises(ScoreUndefinedError, match="into 7 batches, but there are 6"):
        zico(**givens, batches=7)
    same = {
        "model": layer([[1.0], [1.0]]),
        "probe_images": as_images([[1.0]] * 4),
        "probe_labels": torch.zeros(4, dtype=torch.int64),
    }
    with pytest.raises(ScoreUndefinedError, match="all 1 weight tensors are the same in all 4 bat"):
        zico(**same)
    with pytest.raises(ScoreUndefinedError, match="Flatten has no convolution"):
        zico(**{**givens, "model": nn.Flatten()})
    one_value = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.BatchNorm1d(4)).double()
    with pytest.raises(ScoreUndefinedError, match=r"batch of 1 images .* more than 1 value.*fewer"):
        zico(**{**givens, "model": one_value}, batches=6, mode="paper")
    with torch.no_grad():
        givens["model"][0].weight.fill_(float("inf"))
    with pytest.raises(
        ScoreUndefinedError, match=r"of \d of 3 weight tensors \(first: \d.weight\)"
    ):
        zico(**givens)
