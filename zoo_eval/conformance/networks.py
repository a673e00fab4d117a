"""Small networks of the kinds that a zoo holds: inputs of scores that run the network."""

import copy
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from zoo_eval.transforms.images import Alteration

IMAGE_SIZE = 8
N_IMAGES = 8
N_CLASSES = 4
_WIDTH = 8


class FuseBlown(Exception):  # not an error: it is what was wanted
    """Raised in the middle of a forward pass, on purpose."""


class Fuse(nn.Module):
    """Passes on what it gets; the n-th time it raises instead.

    The calls are counted outside the module: a score that puts all attributes of a module back
    would start the count again.
    """

    def __init__(self, blows_at: int | None = None) -> None:
        super().__init__()
        self.calls: list[None] = []
        self.blows_at = blows_at

    def forward(self, x: Tensor) -> Tensor:
        """The input."""
        self.calls.append(None)
        if len(self.calls) == self.blows_at:
            raise FuseBlown
        return x


class _Network(nn.Module):
    """A network with timm's two steps, `forward_features` and `forward_head`."""

    num_classes = N_CLASSES

    def __init__(self, features: nn.Module, n_features: int) -> None:
        super().__init__()
        self.features = features
        self.num_features = n_features
        self.head = nn.Linear(n_features, N_CLASSES)

    def forward_features(self, x: Tensor) -> Tensor:
        """One vector per image."""
        return self.features(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Class scores; with `pre_logits`, what they are computed from."""
        return x if pre_logits else self.head(x)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Class scores."""
        return self.forward_head(self.forward_features(x))


class _TwoHeaded(_Network):
    """As distilled networks: in train mode both heads' outputs, else their mean."""

    def __init__(self, features: nn.Module, n_features: int) -> None:
        super().__init__(features, n_features)
        self.head_dist = nn.Linear(n_features, N_CLASSES)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Mean of both heads."""
        return x if pre_logits else (self.head(x) + self.head_dist(x)) / 2

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """A pair in train mode."""
        x = self.forward_features(x)
        return (self.head(x), self.head_dist(x)) if self.training else self.forward_head(x)


class _Attention(nn.Module):
    """Self-attention with two heads and torch's fused kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(_WIDTH, 3 * _WIDTH)
        self.proj = nn.Linear(_WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(n, tokens, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(n, tokens, width))


class _Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(_WIDTH)
        self.attn = _Attention()
        self.norm2 = nn.LayerNorm(_WIDTH)
        self.mlp = nn.Sequential(nn.Linear(_WIDTH, 16), nn.GELU(), nn.Linear(16, _WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class _TokenFeatures(nn.Module):
    """Patches of 4 × 4, a class token, positions, two blocks; the class token comes out."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(3, _WIDTH, 4, stride=4)
        self.cls_token = nn.Parameter(torch.randn(1, 1, _WIDTH) * 0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, 5, _WIDTH) * 0.02)
        self.blocks = nn.Sequential(_Block(), fuse, _Block())
        self.norm = nn.LayerNorm(_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + self.pos_embed
        return self.norm(self.blocks(x))[:, 0]


def _convolutions(fuse: Fuse, activation: Callable[[], nn.Module], norms: bool) -> nn.Module:
    def norm() -> nn.Module:
        return nn.BatchNorm2d(_WIDTH) if norms else nn.Identity()

    layers = nn.Sequential(
        *(nn.Conv2d(3, _WIDTH, 3, padding=1, bias=not norms), norm(), activation()),
        *(nn.Dropout(0.2), fuse),
        *(nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1, bias=not norms), norm(), activation()),
        *(nn.AdaptiveAvgPool2d(2), nn.Flatten()),
    )
    for module in layers.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.uniform_(-0.2, 0.2)
    return layers


def _relu() -> nn.Module:
    return nn.ReLU(inplace=True)


def convolutions(fuse: Fuse) -> nn.Module:
    """Convolutions with batch norm and ReLU in place."""
    return _Network(_convolutions(fuse, _relu, norms=True), 4 * _WIDTH).eval()


def no_norms(fuse: Fuse) -> nn.Module:
    """Convolutions with ReLU6 and no norm."""
    return _Network(_convolutions(fuse, nn.ReLU6, norms=False), 4 * _WIDTH).eval()


def tokens(fuse: Fuse) -> nn.Module:
    """A transformer with a class token and attention."""
    return _Network(_TokenFeatures(fuse), _WIDTH).eval()


def two_heads(fuse: Fuse) -> nn.Module:
    """A distilled network: two heads, a tuple in train mode."""
    return _TwoHeaded(_convolutions(fuse, _relu, norms=True), 4 * _WIDTH).eval()


def partly_frozen(fuse: Fuse) -> nn.Module:
    """In the middle of fine-tuning: a frozen layer, mixed training flags, an old gradient."""
    model = _Network(_convolutions(fuse, _relu, norms=True), 4 * _WIDTH).train()
    assert isinstance(model.features, nn.Sequential)
    model.features[0].requires_grad_(False)
    model.features[1].eval()
    model.head.weight.grad = torch.full_like(model.head.weight, 0.25)
    model.head.register_forward_hook(_does_nothing)
    return model


def _does_nothing(*_: object) -> None:
    pass


NETWORKS: dict[str, Callable[[Fuse], nn.Module]] = {
    network.__name__: network
    for network in (convolutions, no_norms, tokens, two_heads, partly_frozen)
}


def build(name: str, blows_at: int | None = None) -> nn.Module:
    """A network by name, always with the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return NETWORKS[name](Fuse(blows_at))


def givens(model: nn.Module) -> dict[str, object]:
    """Everything that can be given beside a network, and the network."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(N_IMAGES, 3, IMAGE_SIZE, IMAGE_SIZE, generator=generator)
    labels = torch.arange(N_IMAGES) % N_CLASSES
    return {
        "model": model,
        "initial_model": _redrawn(model),
        "input_shape": (3, IMAGE_SIZE, IMAGE_SIZE),
        "images": list(images.split(N_IMAGES // 2)),
        "altered_images": partial(_altered, images),
        "sibling_model": _redrawn(model),
        "labels": labels.numpy(),
        "head_labels": labels.numpy(),
        "pixels": images.flatten(1).numpy(),
        "probe_images": images,
        "probe_labels": labels,
    }


def _redrawn(model: nn.Module) -> nn.Module:
    """A network of the same architecture with other weights."""
    generator = torch.Generator().manual_seed(2)
    initial = copy.deepcopy(model)
    with torch.no_grad():
        for weight in initial.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) / 4)
    return initial


def _altered(images: Tensor, alteration: Alteration) -> Iterator[Tensor]:
    """The images, changed as pictures of 8 bits: about what a dataset does."""
    pixels = (images * 48 + 128).clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    changed = np.stack(
        [np.asarray(alteration.change(Image.fromarray(picture))) for picture in pixels]
    )
    batch = (torch.tensor(changed).permute(0, 3, 1, 2) - 128.0) / 48
    yield from batch.split(N_IMAGES // 2)
