import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.lines import line
from zoo_eval.models.build import build_model
from zoo_eval.models.initial import neutralise
from zoo_eval.quantities.batch_norm import calibrate_batch_norm

BLOCKS = ["0.blocks.0", "1.blocks.0", "1.blocks.1"]
BLOCKS += [*(f"2.blocks.{block}" for block in range(4)), "3.blocks.0", "3.blocks.1"]
# Architecture and arguments; what is replaced, by what; does `init` leave zero gradients?
NETWORKS = {
    "zero scale of the last norm": (
        ("test_resnet", "{}"),
        {f"layer{n}.0.bn{3 if n == 3 else 2}.weight": 1.0 for n in (1, 2, 3, 4)},
        True,
    ),
    "tiny layer scales": (
        ("test_convnext", "{}"),
        {f"stages.{block}.gamma": 1.0 for block in BLOCKS},
        False,
    ),
    "zero gain of the last convolution": (
        ("test_nfnet", "{}"),
        {f"stages.{stage}.0.conv3.gain": 1.0 for stage in range(4)},
        True,
    ),
    "zero skip gains": (
        ("test_nfnet", '{"skipinit": true}'),
        {f"stages.{stage}.0.skipinit_gain": 1.0 for stage in range(4)},
        True,
    ),
    "zero head": (("mixer_s32_224", "{}"), {"head.weight": None}, True),
    "layer scales of 0.1": (
        ("beit_base_patch16_224", '{"depth": 2, "embed_dim": 16, "num_heads": 2}'),
        {f"blocks.{block}.gamma_{n}": 1.0 for block in (0, 1) for n in (1, 2)},
        False,
    ),
    "small layer scales": (
        ("test_vit2", '{"patch_size": 8}'),
        {f"blocks.{block}.{scale}.gamma": 1.0 for block in range(8) for scale in ("ls1", "ls2")},
        False,
    ),
    "nothing": (("test_efficientnet", "{}"), {}, False),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    (architecture, arguments), replaced, dead = NETWORKS[request.param]
    own = line(f"{architecture}.x", arguments=arguments, image_size="64")
    return build_model(own, "init", 5), build_model(own, "init-neutral", 5), replaced, dead


def without_gradient(model):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, 3, 64, 64, generator=generator)
    calibrate_batch_norm(model, images)
    F.cross_entropy(model(images), torch.tensor([0, 1, 2, 3])).backward()
    return [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]


def test_exactly_zero_heads_and_tiny_scales_are_replaced(network):
    plain, neutral, replaced, _ = network
    before, after = plain.state_dict(), neutral.state_dict()
    assert before.keys() == after.keys()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == set(replaced)
    for name, value in replaced.items():
        if value is None:
            assert not before[name].any()
            # A normal of deviation 0.02, within four standard errors.
            root_n = after[name].numel() ** 0.5
            assert abs(after[name].mean()) < 4 * 0.02 / root_n
            assert after[name].std() == pytest.approx(0.02, rel=4 / (2**0.5 * root_n))
        else:
            assert (after[name] == value).all()


def test_then_every_parameter_has_a_gradient(network):
    plain, neutral, _, dead = network
    assert bool(without_gradient(plain)) == dead
    assert without_gradient(neutral) == []


class Scales(nn.Module):
    """One of everything that must be told apart."""

    def __init__(self):
        super().__init__()
        self.gamma_1 = nn.Parameter(1e-4 * torch.ones(3))
        self.layer_scale_2 = nn.Parameter(0.1 * torch.ones(3, 1, 1))
        self.scale = nn.Parameter(torch.zeros(()))
        self.ls1 = nn.Parameter(-1e-5 * torch.ones(3))
        # Too large, not constant, or of another name: left as they are.
        self.gamma_2 = nn.Parameter(0.2 * torch.ones(3))
        self.ls2 = nn.Parameter(torch.tensor([0.0, 0.1]))
        self.pos_embed = nn.Parameter(torch.zeros(1, 3))
        self.rescale = nn.Parameter(torch.zeros(1))
        self.head = nn.Linear(2, 3)
        self.conv = nn.Conv2d(2, 2, 1)
        self.norm = nn.GroupNorm(1, 3)
        self.full_norm = nn.LayerNorm(3)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        nn.init.zeros_(self.norm.weight)


def test_what_counts_as_a_scale():
    model = Scales()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    replaced = neutralise(model, torch.Generator().manual_seed(0))
    expected = ["gamma_1", "layer_scale_2", "scale", "ls1", "head.weight", "norm.weight"]
    assert replaced == expected
    after = model.state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == expected
    assert all((after[name] == 1).all() for name in expected if name != "head.weight")


def test_the_generator_decides_the_head():
    heads = []
    for place, seed in enumerate((0, 0, 1)):
        torch.manual_seed(place)  # the global generator has no part in it
        model = Scales()
        neutralise(model, torch.Generator().manual_seed(seed))
        heads.append(model.head.weight)
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
