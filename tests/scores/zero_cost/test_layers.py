"""Which layers are seen, and where they have their channels."""

import copy

import pytest
import torch
from torch import nn

from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.scores.zero_cost._layers import layer_outputs


def outputs(model, images, **options):
    found = []
    with layer_outputs(model, len(images), found.append, **options), torch.no_grad():
        model(images)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    return found


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


class Permuted(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x.permute(0, 2, 3, 1))


class SecondNorm2d(nn.LayerNorm):
    """As timm's LayerNorm2d."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


IMAGES = (2, 4, 3, 6)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (nn.Sequential(nn.Conv2d(4, 5, 1), nn.ReLU(), nn.AvgPool2d(2)), [1, 1, 1]),
        (nn.Sequential(nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4)), [1, 1, 1]),
        (nn.Sequential(SecondNorm2d(4), nn.GELU()), [1, 1]),
        (nn.Sequential(nn.ReLU(), nn.Linear(6, 7), nn.GELU()), [1, 3, 3]),
        (Permuted(nn.LayerNorm(4), nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4)), [3, 3, 3, 3]),
        (nn.Sequential(nn.Flatten(2), nn.ReLU(), nn.Conv1d(4, 2, 1), nn.ReLU()), [2, 2, 1, 1]),
        (nn.Sequential(nn.Flatten(), nn.Linear(72, 5), nn.BatchNorm1d(5)), [1, 1, 1]),
    ],
)
def test_dimension_of_the_channels(model, expected):
    assert [o.channel_dim for o in outputs(model.eval(), draw(*IMAGES))] == expected


def test_which_modules_are_layers():
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(4, 4, 1), nn.Identity(), nn.Dropout(0.5), nn.ReLU()), nn.Flatten()
    ).eval()
    images = draw(*IMAGES)
    assert [o.name for o in outputs(model, images)] == ["0.0", "0.3", "1"]
    names = [o.name for o in outputs(model, images, containers=True)]
    assert names == ["0.0", "0.1", "0.2", "0.3", "0", "1", ""]


class Odd(nn.Module):
    """A layer that runs twice, one that sees coordinates, and one that returns a pair."""

    def __init__(self):
        super().__init__()
        self.twice, self.position, self.pair = nn.ReLU(), nn.GELU(), Pair()

    def forward(self, x):
        self.position(torch.linspace(-1, 1, 5)[:, None])
        return self.pair(self.twice(self.twice(x)))[0]


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def test_layers_that_run_twice_and_outputs_that_are_no_images():
    assert [o.name for o in outputs(Odd(), draw(*IMAGES))] == ["twice", "twice"]


def norms():
    ensure_torchvision()
    from timm.layers import BatchNormAct2d, GroupNormAct, LayerNormAct2d

    return [BatchNormAct2d(4), GroupNormAct(4, num_groups=2), LayerNormAct2d(4)]


@pytest.mark.parametrize("norm", norms(), ids=lambda norm: type(norm).__name__)
def test_norms_of_timm_count_before_and_after_their_activation(norm):
    """Looked at at once: the activation overwrites the output of the norm afterwards."""
    alone = copy.deepcopy(norm).eval()
    alone.act = nn.Identity()
    seen = []

    def look(output):
        seen.append((output.name, output.channel_dim, output.values.clone()))

    with layer_outputs(nn.Sequential(norm.eval()), 2, look), torch.no_grad():
        norm(draw(*IMAGES))
        expected = alone(draw(*IMAGES))
    assert [(name, dim) for name, dim, _ in seen] == [("0", 1), ("0.act", 1)]
    torch.testing.assert_close([values for *_, values in seen], [expected, expected.relu()])


def test_hooks_are_gone_after_an_error():
    model = nn.Sequential(nn.Linear(6, 6), nn.Unflatten(1, (3, 3)))

    def run():
        with layer_outputs(model, 2, lambda _: None):
            model(draw(*IMAGES))

    with pytest.raises(RuntimeError, match=r"(?i)unflatten"):
        run()
    assert not model[0]._forward_hooks
