"""Three small networks with stored weights, the batch they were scored on, and the scores.

A description is a tree of nodes {"type": ..., "args": {...}, "children": [[name, node], ...]}.
Children become submodules in the given order, so parameter names are the dotted paths used in
the weights file. See README.md for where the expected scores come from.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

FOLDER = Path(__file__).parent
NETWORKS = ("cnn_bn", "vit", "cnn_nobn")


class Residual(nn.Module):
    """act(body(x) + shortcut(x)); shortcut defaults to x, act to nothing."""

    def __init__(self, body, shortcut=None, act=None):
        super().__init__()
        self.body = body
        if shortcut is not None:
            self.shortcut = shortcut
        if act is not None:
            self.act = act

    def forward(self, x):
        skip = self.shortcut(x) if hasattr(self, "shortcut") else x
        out = self.body(x) + skip
        return self.act(out) if hasattr(self, "act") else out


class ToTokens(nn.Module):
    """(B, C, H, W) -> (B, H*W, C)."""

    def forward(self, x):
        return x.flatten(2).transpose(1, 2)


class AddPosition(nn.Module):
    """Optional class token in front, then a learned position table is added."""

    def __init__(self, tokens, dim, cls):
        super().__init__()
        if cls:
            self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.zeros(1, tokens + (1 if cls else 0), dim))

    def forward(self, x):
        if hasattr(self, "cls"):
            x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1)
        return x + self.pos


class Attention(nn.Module):
    """Softmax self-attention; rows of qkv are q, then k, then v, each split into heads."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (t.reshape(b, n, self.heads, d // self.heads).transpose(1, 2) for t in (q, k, v))
        weights = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5).softmax(dim=-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, n, d))


class TokenPool(nn.Module):
    """mode "cls": first token; mode "mean": mean over all tokens."""

    def __init__(self, mode):
        super().__init__()
        self.mode = mode

    def forward(self, x):
        return x[:, 0] if self.mode == "cls" else x.mean(dim=1)


OWN = {c.__name__: c for c in (Residual, ToTokens, AddPosition, Attention, TokenPool)}


def build(node):
    """The torch module of a node of a description."""
    children = {name: build(child) for name, child in node.get("children", [])}
    if node["type"] == "Sequential":
        sequence = nn.Sequential()
        for name, module in children.items():
            sequence.add_module(name, module)
        return sequence
    kind = OWN.get(node["type"]) or getattr(nn, node["type"])
    return kind(**node.get("args", {}), **children)


@dataclass(frozen=True)
class Case:
    """One network in one precision, with its batch."""

    name: str
    dtype: torch.dtype
    model: nn.Module
    images: Tensor
    labels: Tensor
    expectations: dict
    sources: dict  # by score: which program gave the value, and how

    @property
    def givens(self):
        return {"model": self.model, "probe_images": self.images, "probe_labels": self.labels}

    def expected(self, score_id):
        """(value of the published program in this precision, relative tolerance)."""
        entry = self.expectations["values"][score_id]
        if "rtol" in entry:
            return entry["value"], entry["rtol"]
        if self.dtype == torch.float64:
            return float(entry["value_float64"]), entry.get("rtol_float64", 0)
        return float(entry["value"]), entry.get("rtol_float32", 0)


def load(name, dtype=torch.float32):
    """A fresh copy of a network with its stored weights, in eval mode."""
    folder = FOLDER / "networks"
    model = build(json.loads((folder / f"{name}.json").read_text())["root"])
    model.load_state_dict(load_file(folder / f"{name}.weights.safetensors"))
    batch = np.load(folder / "batch.npz")
    expected = json.loads((FOLDER / "networks_expected.json").read_text())
    images = torch.from_numpy(batch["images"]).to(dtype)
    labels = torch.from_numpy(batch["labels"])
    pair = expected["networks"][name], expected["scores"]
    return Case(name, dtype, model.to(dtype).eval(), images, labels, *pair)
