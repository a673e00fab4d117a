"""Lets timm import beside a torchvision whose compiled operators cannot load.

A torchvision wheel built for another torch (a CUDA wheel beside a CPU torch, say) imports
its Python half, then dies with "operator torchvision::nms does not exist", and takes timm
with it. Only the operator *schemas* are missing at that point: torchvision registers shape
rules for `nms` and `qnms` on import. Declaring the two schemas is enough. zoo_eval never
calls either operator, and calling one still fails with torch's own message.
"""

import importlib
from typing import TYPE_CHECKING

from zoo_eval.errors import ModelError

if TYPE_CHECKING:
    import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
# torch drops the schemas when the library object dies, so it lives as long as this module.
_declared: list["torch.library.Library"] = []


def ensure_torchvision() -> None:
    """Import torchvision; if only its compiled operators are missing, declare them.

    Raises:
        ModelError: torchvision is not installed, or fails for another reason.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error) or _declared:
            raise ModelError(f"torchvision cannot be imported: {error}") from error
        import torch  # only here: without torchvision, this module is imported by many

        library = torch.library.Library("torchvision", "DEF")
        for schema in _SCHEMAS:
            library.define(schema)
        _declared.append(library)
        importlib.import_module("torchvision")
    except ImportError as error:
        raise ModelError(f"zoo_eval needs torchvision beside timm: {error}") from error


def declared_operators() -> bool:
    """Whether the compiled operators were missing and had to be declared."""
    return bool(_declared)
