"""One forward pass over the dataset: embeddings and logits."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from scipy.special import softmax
from torch import Tensor, nn

from zoo_eval.errors import ModelError, NotFiniteError
from zoo_eval.quantities._quantity import Precision, quantity
from zoo_eval.quantities.module_state import in_mode
from zoo_eval.quantities.precision import in_precision


@dataclass(frozen=True)
class ForwardPass:
    """What one pass over the images gives, one row per image."""

    embeddings: Float[np.ndarray, "n d"]
    logits: Float[np.ndarray, "n source_classes"]


@quantity
def forward_pass(model: nn.Module, images: Iterable[Tensor]) -> ForwardPass:
    """Embeddings (timm's pre-logits) and logits of all images, in one pass.

    In float32, or in the precision that `ModelImages` names.

    Raises:
        ModelError: the network has no embeddings, or they are not one vector per image.
        NotFiniteError: the network's output is NaN or infinite.
    """
    embeddings: list[np.ndarray] = []
    logits: list[np.ndarray] = []
    # Not inference mode: there autocast rounds all weights anew for every batch.
    precision: Precision = getattr(images, "precision", "fp32")
    with in_mode(model, "eval"), torch.no_grad():
        for batch in images:
            with in_precision(precision, batch.device):
                pair = embed(model, batch)
            embeddings.append(pair[0].float().cpu().numpy())
            logits.append(pair[1].float().cpu().numpy())
    result = ForwardPass(np.concatenate(embeddings), np.concatenate(logits))
    for name, values in (("embeddings", result.embeddings), ("logits", result.logits)):
        if not np.isfinite(values).all():
            bad = int((~np.isfinite(values).all(axis=1)).sum())
            raise NotFiniteError(
                f"The {name} of {bad} of {len(values)} images are NaN or infinite."
            )
    return result


def embed(model: nn.Module, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Pre-logits and logits of one batch through timm's two-step interface."""
    timm_model: Any = model
    if not hasattr(timm_model, "forward_features") or not hasattr(timm_model, "forward_head"):
        raise ModelError(
            f"{type(model).__name__} has no forward_features and forward_head, which every timm "
            "model has; embeddings cannot be read from it."
        )
    features = timm_model.forward_features(batch)
    embeddings = timm_model.forward_head(features, pre_logits=True)
    logits = timm_model.forward_head(features)
    for name, value in (("embeddings", embeddings), ("logits", logits)):
        if not isinstance(value, Tensor) or value.ndim != 2:
            seen = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ModelError(
                f"The {name} of {type(model).__name__} should be one vector per image, "
                f"but they are {seen}."
            )
    return embeddings, logits


@quantity
def embeddings(forward_pass: ForwardPass) -> Float[np.ndarray, "n d"]:
    """Pre-logits, one row per image, as the network gives them (float32)."""
    return forward_pass.embeddings


@quantity
def logits(forward_pass: ForwardPass) -> Float[np.ndarray, "n source_classes"]:
    """Outputs of the network's own classifier, before the softmax."""
    return forward_pass.logits


@quantity
def source_probabilities(logits: Shaped[np.ndarray, "n source_classes"]) -> np.ndarray:
    """Softmax of the logits in float64, where a float32 softmax would underflow to 0."""
    return softmax(logits.astype(np.float64), axis=1)
