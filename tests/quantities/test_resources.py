import runpy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities.resources import Resources, resources

REFERENCE = runpy.run_path(
    str(Path(__file__).parents[1] / "reference" / "reference_networks.py"), run_name="reference"
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", REFERENCE["NETWORKS"])
def test_reference_networks(name, dtype):
    case = REFERENCE["load"](name, dtype)
    found = resources(case.model, (3, 16, 16))
    assert 2 * found.macs == case.expected("flops/torch")[0]
    # The attention of the reference network is written as matrix products.
    assert found.macs == case.expected("macs/own")[0] + case.expected("macs_attention/own")[0]
    assert found.activations == case.expected("activations/own")[0]


def test_by_hand():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, groups=1), nn.ReLU(), nn.Flatten())
    model.append(nn.Linear(8 * 4 * 6, 10, bias=False))
    assert resources(model, (3, 4, 6)) == Resources(
        macs=3 * 9 * 8 * 24 + 192 * 10, activations=8 * 24 + 10
    )


def test_grouped_and_transposed_convolutions():
    model = nn.Sequential(nn.Conv2d(4, 8, 3, groups=4), nn.ConvTranspose2d(8, 2, 2, stride=2))
    macs = 8 * 9 * 16 + 8 * 2 * 4 * 16  # 16 positions of the 4×4 map in between
    assert resources(model, (4, 6, 6)) == Resources(macs, activations=8 * 16 + 2 * 64)


class Tokens(nn.Module):
    """Attention on the pixels, with the qkv weight applied past its module as in BEiT."""

    def __init__(self, fused, own_call):
        super().__init__()
        self.qkv, self.fused, self.own_call = nn.Linear(8, 24), fused, own_call

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        x = F.linear(x, self.qkv.weight, self.qkv.bias) if self.own_call else self.qkv(x)
        q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2) for t in x.chunk(3, dim=-1))
        if self.fused:
            return F.scaled_dot_product_attention(q, k, v)
        return (q @ k.transpose(-2, -1) / 2).softmax(-1) @ v


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("own_call", [False, True])
def test_attention_counts_the_same_however_it_is_written(fused, own_call):
    n = 5 * 6
    expected = Resources(macs=n * 8 * 24 + 2 * n * n * 8, activations=n * 24)
    assert resources(Tokens(fused, own_call), (8, 5, 6)) == expected


def test_a_layer_that_is_applied_twice_counts_twice():
    layer = nn.Conv2d(3, 3, 1)
    assert resources(nn.Sequential(layer, layer), (3, 2, 2)) == Resources(72, 24)


def test_train_mode_and_gradients_are_left_alone():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).train()
    resources(model, (3, 2, 2))
    assert model.training
    assert int(model[1].num_batches_tracked) == 0
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext", "test_nfnet"])
def test_nothing_needs_to_be_computed_on_the_meta_device(name):
    ensure_torchvision()
    import timm

    size = {"img_size": 64} if name == "test_vit" else {}
    real = timm.create_model(name, num_classes=10, **size)
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=10, **size)
    found = resources(model, (3, 64, 64))
    assert found == resources(real, (3, 64, 64))
    assert found.macs > found.activations > 0


def test_a_parameter_that_passes_a_module_as_it_is_does_not_stop_the_count():
    # PiT's class token does; torch's counter fails there when gradients are off.
    ensure_torchvision()
    import timm

    network = timm.create_model("pit_ti_224", num_classes=10).eval()
    with torch.no_grad():
        found = resources(network, (3, 224, 224))
    assert found.macs > 4e8
    assert found.activations > 1e6
