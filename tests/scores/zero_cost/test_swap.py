import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.activation_patterns import activation_patterns, read_patterns
from zoo_eval.scores.zero_cost.swap import swap

RELU = nn.Sequential(nn.Flatten(), nn.ReLU())


def test_closed_form(as_images):
    """Units over two images: 11, 10, 10, 00, 01, 10: four kinds."""
    images = as_images([[1.0, 2.0, 5.0, -1.0, 0.0, 1.0], [1.0, 0.0, -1.0, -3.0, 2.0, -1.0]])
    assert swap(model=RELU, probe_images=images) == 4


@pytest.mark.parametrize("mode", ["eval", "paper"])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
def test_slow_version(small_cnn, batch, mode, activation):
    model = small_cnn(activation=activation).train(mode == "paper")
    x, states = batch[0], []
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, activation):
                states.append((x > 0).flatten(1))
            x = layer(x)
    expected = len({tuple(unit) for unit in torch.cat(states, dim=1).T.tolist()})
    found = swap(model=small_cnn(activation=activation), probe_images=batch[0], mode=mode)
    assert found == expected


def is_counted_by_the_program(module, values):
    return isinstance(module, nn.ReLU) and values.ndim == 4


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_published_program(case, mode, parity):
    """It counts maps behind `nn.ReLU`, and returns nothing for the transformer with GELU.

    In cnn_bn there is nothing else to count; in cnn_nobn there are ReLU6 and a ReLU of vectors.
    """
    metric = f"swap/{mode}"
    found = swap(
        model=case.model, probe_images=case.images, mode="eval" if mode == "eval" else "paper"
    )
    if case.name == "cnn_bn":
        parity.network(case, metric, found)
        return
    if case.name == "vit":
        assert "returned None" in case.expectations["values"][metric]["error"]
        assert found > 1
        return
    patterns = read_patterns(case.model, case.images, mode, is_counted_by_the_program)
    assert patterns.n_distinct_units < found
    parity.network(case, metric, swap(case.model, case.images, patterns))


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    found = swap(model=small_cnn(), probe_images=batch[0][order])
    assert found == swap(model=small_cnn(), probe_images=batch[0])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 200), st.integers(0, 100))
def test_bound(n, n_units, seed):
    images = torch.randn(n, n_units, 1, 1, generator=torch.Generator().manual_seed(seed))
    assert 1 <= swap(model=RELU, probe_images=images) <= min(2**n, n_units)


def test_reaches_the_bound(as_images):
    every_pattern = np.array(list(itertools.product([-1.0, 1.0], repeat=7))).T
    assert swap(model=RELU, probe_images=as_images(every_pattern)) == 2**7


def test_errors(small_cnn, batch):
    with pytest.raises(ScoreUndefinedError, match="Flatten ran none with elu, silu, swish, mish"):
        swap(model=nn.Flatten(), probe_images=batch[0])
    patterns = activation_patterns(RELU, batch[0])
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        swap(small_cnn(), batch[0], patterns, mode="train")
    images = batch[0].clone()
    images[1] = np.nan
    with pytest.raises(ScoreUndefinedError, match="logits of 1 of 6 images are NaN"):
        swap(model=RELU, probe_images=images)
