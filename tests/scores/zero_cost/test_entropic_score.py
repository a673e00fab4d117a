import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.activation_patterns import activation_patterns
from zoo_eval.scores.zero_cost.entropic_score import entropic_score

RELU = nn.Sequential(nn.Flatten(), nn.ReLU())


def test_closed_form(as_images):
    """Of four images, the units are on for 0, 1, 2, 2 and 4: 0 + (2 − ¾ log₂ 3) + 1 + 1 + 0."""
    images = as_images([[-1.0, 1, 1, -1, 1], [-1, -1, 1, 1, 1], [0, -1, 0, 1, 1], [-1, 0, 0, 0, 1]])
    expected = 4 - 0.75 * np.log2(3)
    found = entropic_score(model=RELU, probe_images=images)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    found = entropic_score(model=RELU, probe_images=images, per_unit=True)
    np.testing.assert_allclose(found, expected / 5, rtol=1e-12)


@pytest.mark.parametrize("mode", ["eval", "paper"])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
def test_slow_version(small_cnn, batch, mode, activation):
    """scipy's entropy of (p, 1 − p), with each activation's input taken by hand."""
    model = small_cnn(activation=activation).train(mode == "paper")
    x, expected = batch[0], 0.0
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, activation):
                share = (x > 0).double().mean(dim=0).flatten().numpy()
                expected += entropy([share, 1 - share], base=2, axis=0).sum()
            x = layer(x)
    found = entropic_score(model=small_cnn(activation=activation), probe_images=batch[0], mode=mode)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)), st.integers(1, 3))
def test_order_and_repetition_of_all_images(small_cnn, batch, order, times):
    found = entropic_score(model=small_cnn(), probe_images=batch[0][list(order) * times])
    expected = entropic_score(model=small_cnn(), probe_images=batch[0])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 50), st.integers(0, 100))
def test_bounds(n, n_units, seed):
    images = torch.randn(n, n_units, 1, 1, generator=torch.Generator().manual_seed(seed))
    total = entropic_score(model=RELU, probe_images=images)
    assert 0 <= total <= n_units
    share = entropic_score(model=RELU, probe_images=images, per_unit=True)
    np.testing.assert_allclose(share * n_units, total, rtol=1e-12)


def test_ends(as_images):
    assert entropic_score(model=RELU, probe_images=as_images([[1.0, -1, 2]])) == 0
    opposite = as_images([[1.0, -1, 2], [-1, 1, -2]])
    np.testing.assert_allclose(entropic_score(model=RELU, probe_images=opposite), 3, rtol=1e-12)


def test_errors(small_cnn, batch):
    with pytest.raises(ScoreUndefinedError, match="Flatten ran none with elu, silu, swish, mish"):
        entropic_score(model=nn.Flatten(), probe_images=batch[0])
    patterns = activation_patterns(RELU, batch[0])
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        entropic_score(small_cnn(), batch[0], patterns, mode="train")
    images = batch[0].clone()
    images[1] = np.nan
    with pytest.raises(ScoreUndefinedError, match="logits of 1 of 6 images are NaN"):
        entropic_score(model=RELU, probe_images=images)
