"""Data, training and measuring of one network of the Fashion-MNIST zoo."""

from __future__ import annotations

import gzip
import math
import os
from pathlib import Path

import numpy as np
import torch
from recipes import Network
from safetensors.torch import load_file
from torch import nn

from zoo_eval.models.registered import register_architectures
from zoo_eval.quantities.resources import resources

register_architectures()
import timm  # noqa: E402

WORK = Path(__file__).resolve().parent / ".work"  # records and resized images; not in the zoo
DATA = Path(os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist"))
MEAN, STD, SHIFT = 0.286, 0.353, 2


def read_idx(path: Path) -> np.ndarray:
    """Read one gzipped idx file of unsigned bytes."""
    raw = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def load_split(split: str, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (n, size, size) as bytes, resized by PIL where size is not 28, and labels."""
    prefix = {"train": "train", "test": "t10k"}[split]
    labels = torch.from_numpy(read_idx(DATA / f"{prefix}-labels-idx1-ubyte.gz").astype(np.int64))
    cache = WORK / f"{split}-{size}.npy"
    if not cache.exists():
        images = read_idx(DATA / f"{prefix}-images-idx3-ubyte.gz")
        if size != 28:
            from PIL import Image

            bicubic = Image.Resampling.BICUBIC
            images = np.stack(
                [np.asarray(Image.fromarray(i).resize((size, size), bicubic)) for i in images]
            )
        partial = WORK / f"{split}-{size}.partial.npy"
        np.save(partial, images)
        partial.replace(cache)
    return torch.from_numpy(np.load(cache)), labels


def to_input(images: torch.Tensor) -> torch.Tensor:
    """Bytes (n, h, w) to the normalised three equal channels that every network sees."""
    x = (images.float() / 255 - MEAN) / STD
    return x[:, None].repeat(1, 3, 1, 1).contiguous(memory_format=torch.channels_last)


def augment(padded: torch.Tensor, index: torch.Tensor, how: str) -> torch.Tensor:
    """Pick images from a zero-padded set, each flipped at random and shifted by up to SHIFT."""
    n, size = len(index), padded.shape[-1] - 2 * SHIFT
    corner = torch.randint(0, 2 * SHIFT + 1, (2, n, 1))
    if how == "flip":
        corner.fill_(SHIFT)
    row, column = corner + torch.arange(size)
    column = torch.where(torch.rand(n, 1) < 0.5, column.flip(1), column)
    return padded[index[:, None, None], row[:, :, None], column[:, None, :]]


def build(net: Network) -> nn.Module:
    """The network as timm makes it, freshly initialised."""
    model = timm.create_model(net.architecture, num_classes=10, in_chans=3, **net.arguments)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def family(net: Network) -> str:
    """The module that the architecture's entry point lives in."""
    return timm.model_entrypoint(net.architecture).__module__.split(".")[-1]


def registered_by(net: Network) -> str:
    """The module that adds the architecture to timm; empty if timm has it itself."""
    module = timm.model_entrypoint(net.architecture).__module__
    return "" if module.startswith("timm.") else module


def training_set(net: Network) -> tuple[torch.Tensor, torch.Tensor]:
    """The share of the training images that the network is given, labels redrawn as it says."""
    images, labels = load_split("train", net.image_size)
    rng = np.random.default_rng(net.seed)
    keep = round(len(images) * net.data_fraction)
    chosen = torch.from_numpy(rng.permutation(len(images))[:keep])
    images, labels = images[chosen], labels[chosen]
    redrawn = torch.from_numpy(rng.random(len(labels)) < net.label_noise)
    return images, torch.where(redrawn, torch.from_numpy(rng.integers(0, 10, len(labels))), labels)


def fit(net: Network) -> nn.Module:
    """Train one network: warm-up over a fifth of the steps, then a cosine down to nothing."""
    torch.manual_seed(net.seed)
    model = build(net).train()
    images, labels = training_set(net)
    padded = nn.functional.pad(images, (SHIFT,) * 4)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    decay = 5e-4 if net.optimizer == "sgd" else 0.03
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer: torch.optim.Optimizer
    if net.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, lr=net.lr, momentum=0.9, nesterov=True)
    else:
        optimizer = torch.optim.AdamW(groups, lr=net.lr)
    per_epoch = max(1, len(images) // net.batch)
    steps = max(1, round(per_epoch * net.epochs))
    order = torch.empty(0, dtype=torch.int64)
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(len(images))
        index = order[step % per_epoch * net.batch :][: net.batch]
        batch = augment(padded, index, net.augment) if net.augment else images[index]
        done = (step + 1) / steps
        scale = done / 0.2 if done < 0.2 else 0.5 + 0.5 * math.cos(math.pi * (done - 0.2) / 0.8)
        for group in optimizer.param_groups:
            group["lr"] = net.lr * scale
        loss = nn.functional.cross_entropy(model(to_input(batch)), labels[index])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    return model


def measure(net: Network) -> dict[str, int]:
    """Parameters, and multiply-accumulates and activations as zoo_eval counts them."""
    model = build(net)
    cost = resources(model, (3, net.image_size, net.image_size))
    return {
        "params": sum(parameter.numel() for parameter in model.parameters()),
        "macs": cost.macs,
        "activations": cost.activations,
    }


@torch.inference_mode()
def evaluate(net: Network, weights: Path) -> float:
    """Top-1 of the stored weights on all test images, in evaluation mode and single precision."""
    model = build(net)
    model.load_state_dict(load_file(weights))
    model.eval()
    images, labels = load_split("test", net.image_size)
    hits = 0
    for x, y in zip(images.split(500), labels.split(500), strict=True):
        hidden = model.forward_features(to_input(x))  # type: ignore[operator]
        embedding = model.forward_head(hidden, pre_logits=True)  # type: ignore[operator]
        if embedding.ndim != 2:
            raise ValueError(f"{net.name}: the embedding has shape {tuple(embedding.shape)}")
        hits += int((model.forward_head(hidden).argmax(1) == y).sum())  # type: ignore[operator]
    return hits / len(labels)
