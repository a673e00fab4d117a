"""Checks that timm's architectures build and give embeddings, without computing anything.

Networks are built and run on torch's `meta` device, where tensors have shapes but no contents: a
network of a billion parameters is checked in seconds and in no memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.errors import ModelError
from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.models.build import construct
from zoo_eval.quantities.forward import embed


@dataclass(frozen=True)
class ArchitectureCheck:
    """What became of one architecture."""

    architecture: str
    n_features: int | None  # length of the embedding
    reason: str | None  # why there is none


def check_architectures(limit: int | None = None) -> Iterator[ArchitectureCheck]:
    """Build each architecture of the ImageNet manifest once, and read embeddings of two images.

    Args:
        limit: Only the first so many.
    """
    first_line: dict[str, ModelLine] = {}
    for line in Manifest.load("timm-imagenet"):
        first_line.setdefault(line.architecture, line)
    for line in list(first_line.values())[:limit]:
        try:
            yield ArchitectureCheck(line.architecture, _n_features(line), None)
        except Exception as error:  # whatever goes wrong in timm is the finding
            reason = str(error).partition("\n")[0] or type(error).__name__
            yield ArchitectureCheck(line.architecture, None, reason)


def _n_features(line: ModelLine) -> int:
    size = preprocessing_of(line).image_size
    model = construct(line, line.architecture, device="meta").eval()
    with torch.inference_mode():
        embeddings, logits = embed(model, torch.zeros(2, 3, size, size, device="meta"))
    if logits.shape[1] != 1000:
        raise ModelError(f"gives {logits.shape[1]} logits where 1,000 are needed")
    return embeddings.shape[1]
