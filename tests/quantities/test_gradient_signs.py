import runpy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities import gradient_signs as module
from zoo_eval.quantities.gradient_signs import gradient_signs, sign_agreement
from zoo_eval.quantities.gradients import needed_weights
from zoo_eval.quantities.watched_layers import NotPerImageError

REFERENCE = runpy.run_path(
    str(Path(__file__).parents[1] / "reference" / "reference_networks.py"), run_name="reference"
)
LAYERS = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.Linear


def stack_of_gradients(model, images, labels, mode="eval"):
    """As one would write it first: one row per image."""
    model.train(mode == "train")
    rows = []
    for image, label in zip(images.split(1), labels.split(1), strict=True):
        model.zero_grad(set_to_none=True)
        F.cross_entropy(model(image), label).backward()
        weights = {layer.weight for layer in model.modules() if isinstance(layer, LAYERS)}
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        rows.append(torch.cat([g.flatten() for g in gradients]))
    model.zero_grad(set_to_none=True)
    return torch.stack(rows)


def agreement_of(stack):
    return float(stack.sign().sum(dim=0).abs().sum())


def in_parts(model, images, labels):
    """The fast way alone: no way back to one image at a time."""
    weights = [weight for _, weight in needed_weights(model)]
    return module._in_parts(model, images, labels, weights, "fp32").agreement()


@pytest.mark.parametrize("name", REFERENCE["NETWORKS"])
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_signs_of_the_reference_networks(name, mode):
    case = REFERENCE["load"](name, torch.float64)
    found = sign_agreement(case.model, case.images, case.labels, mode)
    stack = stack_of_gradients(case.model, case.images, case.labels, mode)
    assert found.n_weights == stack.shape[1]
    assert found.agreement == agreement_of(stack)
    if mode == "eval":
        assert gradient_signs(case.model, case.images, case.labels) == found
        assert in_parts(case.model, case.images, case.labels) == found.agreement


@pytest.mark.parametrize("name", ["cnn_bn", "vit"])
def test_bfloat16_turns_few_signs(name):
    """Where it does, the gradient is next to zero; and both ways round alike."""
    case = REFERENCE["load"](name, torch.float32)
    single, half = (
        sign_agreement(case.model, case.images, case.labels, "eval", precision)
        for precision in ("fp32", "bf16")
    )
    assert half.agreement != single.agreement
    assert half.agreement == pytest.approx(single.agreement, rel=0.02)
    weights = [weight for _, weight in needed_weights(case.model)]
    ways = [
        module._in_parts(case.model, case.images, case.labels, weights, "bf16"),
        module._one_by_one(case.model, case.images, case.labels, "eval", weights, "bf16"),
    ]
    assert ways[0].agreement() == pytest.approx(ways[1].agreement(), rel=0.02)


def batch(n, *shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, *shape, generator=generator, dtype=dtype), torch.arange(n) % 4


class Windows(nn.Module):
    """As Swin does: an image becomes several windows of tokens, and a whole again."""

    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, x):
        windows = x.unflatten(2, (2, 3)).movedim(2, 1).flatten(0, 1)  # 2n × 6 × 3 × width
        windows = F.gelu(self.inner(windows.flatten(2).transpose(1, 2)))
        return self.head(windows.unflatten(0, (len(x), 2)).mean(dim=(1, 2)))


class Channels(nn.Module):
    """Attention of channels: a convolution along them, whose images have one channel."""

    def __init__(self):
        super().__init__()
        self.along, self.head = nn.Conv1d(1, 1, 3, padding=1), nn.Linear(6, 4)

    def forward(self, x):
        pooled = x.mean(dim=(2, 3))
        return self.head(pooled * self.along(pooled.unsqueeze(1)).sigmoid().squeeze(1))


def pooled(*layers):
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(4))


NETWORKS = {
    "dense": lambda: pooled(nn.Conv2d(6, 5, 3, padding=1), nn.ReLU(inplace=True)),
    "uneven": lambda: pooled(
        nn.Conv2d(6, 5, (3, 2), stride=(1, 2), padding=(2, 0), dilation=(2, 1)), nn.SiLU()
    ),
    "pointwise": lambda: pooled(nn.Conv2d(6, 5, 1, stride=2, bias=False), nn.ReLU(inplace=True)),
    "padded pointwise": lambda: pooled(nn.Conv2d(6, 5, 1, padding=1), nn.GELU()),
    "depthwise": lambda: pooled(nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.Hardswish()),
    "depthwise in steps": lambda: pooled(
        nn.Conv2d(6, 6, 3, stride=2, padding=1, groups=6), nn.Conv2d(6, 6, 2, dilation=2, groups=6)
    ),
    "grouped": lambda: pooled(nn.Conv2d(6, 8, 3, groups=2), nn.GELU()),
    "several per group": lambda: pooled(nn.Conv2d(6, 12, 3, groups=6), nn.GELU()),
    "three dimensions": lambda: pooled(nn.Unflatten(1, (3, 2)), nn.Conv3d(3, 4, 2), nn.GELU()),
    "squeezed": lambda: nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 7, 1), nn.ReLU(), nn.Flatten(), nn.Linear(7, 4)
    ),
    "in blocks": lambda: pooled(nn.Conv2d(6, 2, 1), nn.Flatten(), nn.LazyLinear(7000), nn.ReLU()),
    "blocks of tokens": lambda: nn.Sequential(
        nn.Flatten(2), nn.Linear(42, 7000), nn.ReLU(), nn.AdaptiveAvgPool2d((6, 1)),
        nn.Flatten(), nn.Linear(6, 4),
    ),
    "windows": Windows,
    "channels": Channels,
}  # fmt: skip


def network(name, dtype):
    torch.manual_seed(0)
    model = NETWORKS[name]().to(dtype).eval()
    model(batch(2, 6, 6, 7, dtype=dtype)[0])  # lazy layers take their shape
    return model


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 8, 10])  # 10: two whole parts and a shorter one
def test_parts_agree_with_a_stack_of_gradients(name, n):
    model = network(name, torch.float64)
    images, labels = batch(n, 6, 6, 7)
    expected = agreement_of(stack_of_gradients(model, images, labels))
    assert in_parts(model, images, labels) == expected
    assert sign_agreement(model, images, labels, "eval").agreement == expected


@pytest.mark.parametrize("name", NETWORKS)
def test_single_precision_differs_by_rounding_only(name):
    model = network(name, torch.float32)
    images, labels = batch(10, 6, 6, 7, dtype=torch.float32)
    expected = agreement_of(stack_of_gradients(model, images, labels))
    assert in_parts(model, images, labels) == pytest.approx(expected, rel=1e-4)


class Shared(nn.Module):
    """One layer twice: its gradients add up before their sign is taken."""

    def __init__(self):
        super().__init__()
        self.twice, self.head = nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, x):
        return self.head(self.twice(self.twice(x.mean(dim=(2, 3))).relu()))


class Standardised(Shared):
    """A weight that is changed before it is used."""

    def forward(self, x):
        weight = self.twice.weight / self.twice.weight.norm()
        return self.head(F.linear(x.mean(dim=(2, 3)), weight).relu())


class Penalised(Shared):
    """A weight that is used by its layer and once more."""

    def forward(self, x):
        x = self.twice(x.mean(dim=(2, 3)))
        return self.head(x.relu() * self.twice.weight.norm())


class TokensFirst(Shared):
    """The first axis is tokens, of which there are as many as images."""

    def forward(self, x):
        tokens = x.flatten(2).permute(2, 0, 1)[: len(x)]
        return self.head(self.twice(tokens).relu().mean(dim=0))


class Mirrored(Shared):
    """Images meet the layer in another order."""

    def forward(self, x):
        return self.head(self.twice(x.mean(dim=(2, 3)).flip(0)).relu().flip(0))


class Averaged(Shared):
    """An image's features are compared with the mean of all."""

    def forward(self, x):
        x = x.mean(dim=(2, 3))
        return self.head(self.twice(x - 0.1 * x.mean(dim=0)).relu())


class Table(Shared):
    """A layer that makes positions, which are the same for all images."""

    def forward(self, x):
        table = torch.linspace(-1, 1, 24, dtype=x.dtype).reshape(4, 6)
        return self.head(x.mean(dim=(2, 3)) + self.twice(table).sin().sum(dim=0))


class OfPartSize(Shared):
    """A layer that is used for some sizes of a batch only."""

    def forward(self, x):
        x = x.mean(dim=(2, 3))
        return self.head(self.twice(x) if len(x) in (1, 4) else F.linear(x, self.twice.weight * 1))


class Overwritten(Shared):
    """Without a gradient of the weight this would pass, but the layer's input is lost."""

    def forward(self, x):
        x = x.mean(dim=(2, 3)).requires_grad_(False) * 1
        y = self.twice(x)
        if len(x) > 1:
            x += 1
        return self.head(y.relu())


REFUSED = [
    Shared, Standardised, Penalised, TokensFirst, Mirrored, Averaged, Table, OfPartSize,
    Overwritten,
    lambda: nn.Sequential(nn.ConvTranspose2d(6, 4, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    lambda: pooled(nn.Conv2d(6, 5, 3, padding="same")),
]  # fmt: skip


@pytest.mark.parametrize("make", REFUSED)
def test_networks_that_do_not_keep_images_apart_pass_one_by_one(make):
    torch.manual_seed(0)
    model = make().double().eval()
    images, labels = batch(10, 6, 6, 7)
    model(images[:1])
    with pytest.raises(NotPerImageError):
        in_parts(model, images, labels)
    found = sign_agreement(model, images, labels, "eval")
    assert found.agreement == agreement_of(stack_of_gradients(model, images, labels))


def test_more_images_than_a_byte_counts():
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 4, bias=False)).double()
    images, labels = batch(140, 6, 1, 1)
    images = images.abs()  # class 0's weights grow for all of its images, and the others' shrink
    labels[:] = 0
    assert sign_agreement(model, images, labels, "eval").agreement == 140 * 24


def test_one_image_alone_agrees_with_itself():
    model = network("dense", torch.float64)
    images, labels = batch(1, 6, 6, 7)
    found = sign_agreement(model, images, labels, "eval")
    assert found.agreement == agreement_of(stack_of_gradients(model, images, labels))


def test_flags_and_hooks_are_put_back_also_after_an_error():
    model = network("dense", torch.float64)
    model[0].bias.requires_grad_(False)
    images, labels = batch(9, 6, 6, 7)
    gradient_signs(model, images, labels)
    with pytest.raises(InputError, match=r"run from 1 to 6, but the network has outputs 0 to 3"):
        gradient_signs(model, images, torch.arange(9) % 8)
    assert [p.requires_grad for p in model.parameters()] == [True, False, True, True]
    assert all(p.grad is None for p in model.parameters())
    assert not torch.overrides._get_current_function_mode_stack()


@pytest.mark.parametrize("name", ["squeezed", "dense", "windows", "depthwise"])
@pytest.mark.parametrize("image", [0, 1, 9])
def test_a_gradient_that_is_not_a_number_is_no_agreement(name, image):
    model = network(name, torch.float32)
    images, labels = batch(10, 6, 6, 7, dtype=torch.float32)
    images[image] = float("nan")
    with pytest.raises(ScoreUndefinedError, match=r"gradients of \d of \d weight tensors hold NaN"):
        gradient_signs(model, images, labels)
