import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.activation_patterns import activation_patterns
from zoo_eval.scores.zero_cost.linear_regions import linear_regions

RELU = nn.Sequential(nn.Flatten(), nn.ReLU())


def test_closed_form(as_images):
    """Codes 10, 01, 10, 11: three."""
    images = as_images([[1.0, -1.0], [-2.0, 3.0], [5.0, -0.5], [1.0, 1.0]])
    assert linear_regions(model=RELU, probe_images=images) == 3


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, mode):
    """A line of images crosses region after region; the codes are taken by hand."""
    generator = torch.Generator().manual_seed(0)
    ends = torch.randn(2, 3, 4, 4, generator=generator, dtype=torch.float64)
    steps = torch.linspace(0, 0.2, 20, dtype=torch.float64)[:, None, None, None]
    images = torch.lerp(ends[:1], ends[1:], steps)
    model = small_cnn(activation=nn.SiLU).train(mode == "paper")
    x, codes = images, []
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.SiLU):
                codes.append((x > 0).flatten(1))
            x = layer(x)
    expected = len({tuple(code) for code in torch.cat(codes, dim=1).tolist()})
    assert 5 < expected < 20
    found = linear_regions(model=small_cnn(activation=nn.SiLU), probe_images=images, mode=mode)
    assert found == expected


def test_published_program(case, parity):
    """It counts feature maps behind ReLU, and fails for the transformer; the value is n for all.

    The copy in ZenNAS fails for all networks.
    """
    found = linear_regions(model=case.model, probe_images=case.images, mode="paper")
    assert found == 16
    values = case.expectations["values"]
    assert values["te_nas_linear_regions/train"]["error"].startswith(
        "AttributeError" if case.name == "vit" else "RuntimeError: unsupported operation"
    )
    if case.name == "vit":
        assert "NoneType" in values["te_nas_linear_regions_aznas/train"]["error"]
    else:
        parity.network(case, "te_nas_linear_regions_aznas/train", found)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=4))
def test_order_and_repetition_of_images(batch, order, repeated):
    images = batch[0][:, :, 0, 0]
    expected = linear_regions(model=RELU, probe_images=images[:, :, None, None])
    changed = images[[*order, *repeated]][:, :, None, None]
    assert linear_regions(model=RELU, probe_images=changed) == expected
    assert 1 <= expected <= 6


def test_one_image(batch):
    assert linear_regions(model=RELU, probe_images=batch[0][:1]) == 1


def test_saturates(small_cnn, batch):
    assert linear_regions(model=small_cnn(), probe_images=batch[0]) == len(batch[0])


def test_errors(small_cnn, batch):
    with pytest.raises(ScoreUndefinedError, match="Flatten ran none with elu, silu, swish, mish"):
        linear_regions(model=nn.Flatten(), probe_images=batch[0])
    patterns = activation_patterns(RELU, batch[0])
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        linear_regions(small_cnn(), batch[0], patterns, mode="train")
    images = batch[0].clone()
    images[1] = np.nan
    with pytest.raises(ScoreUndefinedError, match="logits of 1 of 6 images are NaN"):
        linear_regions(model=RELU, probe_images=images)
