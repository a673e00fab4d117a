import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import SCORES
from zoo_eval.scores.zero_cost.epe_nas import epe_nas

EPSILON = 1e-5


class Quadratic(nn.Module):
    """Logits whose sum is ½ Σ x², so that the gradient is the image itself."""

    def __init__(self, n_outputs=3):
        super().__init__()
        self.n_outputs = n_outputs

    def forward(self, images):
        total = images.flatten(1).square().sum(dim=1, keepdim=True) / 2
        return (total / self.n_outputs).expand(-1, self.n_outputs)


# Centred: rows 0 and 1 correlate by ½, 2 and 3 by −½, 0 and 4 by 1.
ROWS = [[1.0, -1.0, 0.0], [0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [0.0, -1.0, 1.0], [2.0, -2.0, 0.0]]


def test_closed_form(as_images):
    images, labels = as_images(ROWS), torch.tensor([7, 7, 3, 3, 9])
    pair = 2 * np.log(0.5 + EPSILON) + 2 * np.log(1 + EPSILON)
    found = epe_nas(model=Quadratic(), probe_images=images, probe_labels=labels)
    np.testing.assert_allclose(found, 2 * abs(pair), rtol=1e-12)  # the one image of class 9: none


def test_closed_form_for_many_outputs(as_images):
    """s = ln ½ + ln 1 in one class, 2 ln 1 in the other, with ε: twice their distance, by 2."""
    images, labels = as_images([ROWS[0], ROWS[1], ROWS[2], [2.0, 0.0, -2.0]]), [5, 5, 8, 8]
    found = epe_nas(model=Quadratic(101), probe_images=images, probe_labels=torch.tensor(labels))
    near, far = np.log(1 + EPSILON), np.log(0.5 + EPSILON)
    np.testing.assert_allclose(found, abs((near + far) - 2 * near), rtol=1e-9)
    # One more output than the first form still has.
    found = epe_nas(model=Quadratic(100), probe_images=images, probe_labels=torch.tensor(labels))
    np.testing.assert_allclose(found, abs(2 * near + 2 * far) + 4 * near, rtol=1e-9)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, batch, mode, many):
    """Pixel gradients by hand; numpy's corrcoef of each class."""
    model = small_cnn().train(mode == "paper")
    wide = nn.Linear(4, 101, bias=False).double()
    with torch.no_grad():
        wide.weight.copy_(torch.linspace(-1, 1, 404).reshape(101, 4))
    model = nn.Sequential(model, wide) if many else model
    images = batch[0].clone().requires_grad_()
    model(images).sum().backward()
    rows, labels = images.grad.flatten(1).numpy(), batch[1].numpy()
    sums = {}
    for c in (0, 1):  # 2 and 3 have one image each
        logs = np.log(np.abs(np.corrcoef(rows[labels == c])) + EPSILON)
        sums[c] = logs.sum() / len(logs) if many else logs.sum()
    pairs = itertools.product(sums.values(), repeat=2)
    expected = sum(abs(a - b) for a, b in pairs) / 2 if many else sum(map(abs, sums.values()))
    fresh = nn.Sequential(small_cnn(), wide) if many else small_cnn()
    found = epe_nas(model=fresh, probe_images=batch[0], probe_labels=batch[1], mode=mode)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("mode", "reference"), [("eval", "epe_nas/eval"), ("paper", "epe_nas/train")]
)
def test_published_program(case, mode, reference, parity):
    parity.network(case, reference, epe_nas(**case.givens, mode=mode))


@settings(max_examples=10)
@given(st.permutations(range(6)), st.permutations(range(4)))
def test_order_of_images_and_names_of_classes(small_cnn, batch, order, names):
    images, labels = batch
    renamed = torch.tensor(names)[labels]
    found = epe_nas(model=small_cnn(), probe_images=images[order], probe_labels=renamed[order])
    expected = epe_nas(model=small_cnn(), probe_images=images, probe_labels=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@settings(max_examples=10)
@given(st.floats(1e-3, 1e3))
def test_scale_of_the_logits(small_cnn, batch, factor):
    model = small_cnn()
    with torch.no_grad():
        model[7].weight *= factor
    givens = {"probe_images": batch[0], "probe_labels": batch[1]}
    expected = epe_nas(model=small_cnn(), **givens)
    np.testing.assert_allclose(epe_nas(model=model, **givens), expected, rtol=1e-9)


def test_bound(as_images):
    """Uncorrelated images of one class: −ln ε for each ordered pair, less the diagonal."""
    images = as_images([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]])
    found = epe_nas(model=Quadratic(), probe_images=images, probe_labels=torch.tensor([1, 1]))
    np.testing.assert_allclose(found, 2 * 11.512925464970229 - 2e-5, rtol=1e-9)


def test_gradients_are_shared_with_jacob_cov(small_cnn, batch):
    """Both take the one quantity, so the network runs once for the two."""
    assert "input_gradients" in SCORES["jacob_cov"].needs
    assert "input_gradients" in epe_nas.needs


def test_errors(small_cnn, batch):
    images, labels = batch
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        epe_nas(model=small_cnn(), probe_images=images, probe_labels=labels, mode="train")
    different = torch.arange(6)
    with pytest.raises(ScoreUndefinedError, match=r"0 of 6 classes among 6 .* 1 needed for 4 out"):
        epe_nas(model=small_cnn(), probe_images=images, probe_labels=different)
    one = torch.tensor([0, 0, 1, 2, 3, 4])
    with pytest.raises(ScoreUndefinedError, match=r"1 of 5 classes .* 2 needed for 101 outputs"):
        epe_nas(model=Quadratic(101), probe_images=images, probe_labels=one)
    model = small_cnn()
    nn.init.zeros_(model[7].weight)
    with pytest.raises(ScoreUndefinedError, match=r"epe_nas needs .* 6 of 6 images do not"):
        epe_nas(model=model, probe_images=images, probe_labels=labels)
