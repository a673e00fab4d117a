import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.scores.zero_cost._feature_map import feature_maps
from zoo_eval.scores.zero_cost.zen import zen, zen_score

BATCH = np.load(Path(__file__).parents[2] / "reference" / "networks" / "batch.npz")


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Scaled(nn.Module):
    """Features a · x, and a batch norm that is not part of them."""

    def __init__(self, factor, variance):
        super().__init__()
        self.factor, self.norm = factor, nn.BatchNorm2d(2).double()
        self.norm.running_var.copy_(torch.as_tensor(variance))

    def forward_features(self, images):
        return self.factor * images

    def forward(self, images):
        return self.forward_features(images).mean(dim=(2, 3))


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(1e-4, 1), st.floats(0.1, 10))
def test_closed_form(factor, gamma, variance):
    """f = a x gives ln(a γ Σ |ε| / n) + ½ ln v, with v the mean of v and 3 v."""
    images, noise = draw(4, 2, 3, 3), draw(4, 2, 3, 3, seed=1)
    model = Scaled(factor, [variance, 3 * variance])
    expected = math.log(factor * gamma * float(noise.abs().sum()) / 4) + math.log(2 * variance) / 2
    found = zen_score(model, images, noise, gamma, "eval")
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)  # running_var is rounded


@pytest.mark.parametrize("mode", ["eval", "paper"])
@pytest.mark.parametrize("inputs", ["probe", "noise"])
def test_slow_version(small_cnn, batch, mode, inputs):
    """The features are those before AdaptiveAvgPool2d(2) has been flattened."""
    generator = torch.Generator().manual_seed(0)
    x, noise = (torch.randn(6, 3, 8, 8, generator=generator).double() for _ in range(2))
    x = batch[0] if inputs == "probe" else x
    model = small_cnn().train(mode == "paper")
    with torch.no_grad():
        change = model[:6](x).numpy() - model[:6](x + 0.05 * noise).numpy()
    expected = np.log(np.abs(change).sum(axis=(1, 2, 3)).mean())
    expected += np.log(np.sqrt(model[1].running_var.mean().item()))
    found = zen(small_cnn(), batch[0], mixup_gamma=0.05, inputs=inputs, mode=mode)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_published_program(case, mode, parity):
    """With its noise, and the weights as they are. It fails on tokens."""
    metric = f"zen/given_weights/{mode}"
    noise = torch.from_numpy(BATCH["noise"]).to(case.dtype)
    found = zen_score(case.model, case.images, noise, 0.01, mode)
    if case.name != "vit":
        parity.network(case, metric, found)
        return
    assert "IndexError" in case.expectations["values"][metric]["error"]
    with torch.no_grad():
        tokens = case.model[:-2]  # without pooling and head
        change = tokens(case.images + 0.01 * noise) - tokens(case.images)
    expected = math.log(float(change.abs().sum()) / len(change))
    np.testing.assert_allclose(found, expected, rtol=1e-5 if case.dtype == torch.float32 else 1e-9)


def test_published_program_with_its_own_weights(case, parity):
    """As it is run: normal weights and noise from one generator, which the value hangs on."""
    metric = "zen/official_reinit_seed0/train"
    if case.name == "vit" or case.dtype == torch.float64:
        return
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in case.model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.normal_(generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.BatchNorm2d):
                module.weight.fill_(1)
                module.bias.zero_()
    x, noise = (torch.randn(case.images.shape, generator=generator) for _ in range(2))
    parity.network(case, metric, zen_score(case.model, x, noise, 0.01, "train"))


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    noise = draw(6, 3, 8, 8)
    found = zen_score(small_cnn(), batch[0][order], noise[order], 0.01, "eval")
    expected = zen_score(small_cnn(), batch[0], noise, 0.01, "eval")
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 10))
def test_batch_norm_takes_no_scale_out(batch, factor):
    """The scale of the weights before a norm is in the score: the second term gives it back."""

    def build(weight_factor):
        model = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4, eps=0)).double()
        with torch.no_grad():
            model[0].weight.copy_(draw(4, 3, 3, 3) * weight_factor)
        model[1].running_var.copy_(torch.full((4,), 2.0) * weight_factor**2)
        return nn.Sequential(model, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    found = zen(build(factor), batch[0])
    np.testing.assert_allclose(found, zen(build(1), batch[0]) + math.log(factor), rtol=1e-6)


def test_all_kinds_of_batch_norm_count(batch):
    class Levit(nn.Module):
        def __init__(self, *norms):
            super().__init__()
            self.norms = nn.ModuleList(norms)

        def forward_features(self, images):
            return images.flatten(2)

    one = nn.BatchNorm1d(3)
    one.running_var.fill_(4.0)
    expected = zen(Levit(nn.LayerNorm(3)), batch[0]) + math.log(2)
    np.testing.assert_allclose(zen(Levit(one), batch[0]), expected, rtol=1e-12)


def test_features_of_timm_are_those_before_the_pooling():
    ensure_torchvision()
    import timm

    model = timm.create_model("test_resnet", num_classes=3).eval()
    images = torch.zeros(2, 3, 32, 32)
    with torch.no_grad():
        (found,) = feature_maps(model, images)
        torch.testing.assert_close(found, model.forward_features(images))
    assert found.ndim == 4


class Branches(nn.Module):
    def forward_features(self, images):
        return {"a": [images, 2 * images], "b": (images.mean(dim=1),), "n": 3}


def test_several_feature_tensors_count_as_one(batch):
    noise, images = draw(6, 3, 8, 8), batch[0]
    found = zen_score(Branches(), images, noise, 0.1, "eval")
    total = 0.1 * (3 * noise.abs().sum() + noise.mean(dim=1).abs().sum())
    np.testing.assert_allclose(found, math.log(float(total) / 6), rtol=1e-9)


@pytest.mark.parametrize(
    ("layers", "index"),
    [
        ([nn.Conv2d(3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()], 1),
        ([nn.Conv2d(3, 2, 1), nn.Flatten(2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()], 2),
        ([nn.ReLU(), nn.Flatten(), nn.Linear(192, 2)], 0),
    ],
)
def test_features_of_other_networks(layers, index, batch):
    model = nn.Sequential(*layers).double()
    with torch.no_grad():
        (found,) = feature_maps(model, batch[0])
        torch.testing.assert_close(found, model[: index + 1](batch[0]))
    assert not any(m._forward_hooks for m in model.modules())


def test_the_same_noise_in_every_call(small_cnn, batch):
    first = zen(small_cnn(), batch[0])
    torch.manual_seed(5)
    assert zen(small_cnn(), batch[0]) == first
    assert zen(copy.deepcopy(small_cnn()).float(), batch[0].float()) == pytest.approx(first, 1e-4)


def test_errors(small_cnn, batch):
    model, images = small_cnn(), batch[0]
    with pytest.raises(InputError, match="must be 'probe' or 'noise', but is 'images'"):
        zen(model, images, inputs="images")
    for gamma in (0, -1, math.inf, math.nan):
        with pytest.raises(InputError, match=f"a positive number, but is {gamma}"):
            zen(model, images, mixup_gamma=gamma)
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        zen(model, images, mode="train")
    with pytest.raises(ScoreUndefinedError, match="none of its 2 modules returns a feature map"):
        zen(nn.Sequential(nn.Flatten()), images)
    with pytest.raises(ScoreUndefinedError, match=r"6 images change by 0\.0 in the mean"):
        zen(Scaled(0.0, [1.0, 1.0]), images)
    with pytest.raises(ScoreUndefinedError, match="change by nan in the mean"):
        zen(Scaled(math.nan, [1.0, 1.0]), images)
    with pytest.raises(ScoreUndefinedError, match=r"their mean in 'norm' is 0\.0"):
        zen(Scaled(1.0, [0.0, 0.0]), images)
    no_statistics = nn.Sequential(nn.BatchNorm2d(3, track_running_stats=False), nn.Flatten())
    with pytest.raises(ScoreUndefinedError, match="their mean in '0' is None"):
        zen(no_statistics, images)
