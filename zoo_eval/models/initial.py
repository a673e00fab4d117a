"""Random initialisation, in two kinds.

`init` is timm's own. It leaves whole families without gradients: a classifier of zeros
(MLP-Mixer, ResMLP, gMLP …) makes every gradient behind it zero, a last batch norm of zero scale
(ResNet, RegNet …) does so for every residual branch, and layer scales of 1e-4 to 1e-6 (ConvNeXt,
CaiT, BEiT …) nearly so. A proxy that reads gradients then measures the initialisation, not the
architecture. `init-neutral` undoes these three and touches nothing else.
"""

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd  # pyright: ignore[reportPrivateUsage]

# timm's layer scales and skip gains start at 0.1 or below; ordinary scales start at 1. The bound
# lies above 0.1, which in float32 and bfloat16 is a little more than 0.1.
TINY_SCALE_BELOW = 0.11
_SCALE_NAMES = ("scale", "gain", "ls1", "ls2")
HEAD_STD = 0.02  # of a truncated normal: what timm gives classifiers that it does not zero


def neutralise(model: nn.Module, generator: torch.Generator) -> list[str]:
    """Replace zero heads and zero or tiny scales, in place.

    Args:
        model: A freshly initialised network.
        generator: Source of the replaced weight matrices.

    Returns:
        Names of the parameters that were replaced.
    """
    scales = _norm_scales(model)
    matrices = {
        id(module.weight) for module in model.modules() if isinstance(module, nn.Linear | _ConvNd)
    }
    replaced: list[str] = []
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if id(parameter) in matrices:
                if not parameter.any():
                    nn.init.trunc_normal_(parameter, std=HEAD_STD, generator=generator)
                    replaced.append(name)
            elif (id(parameter) in scales or _is_scale(name)) and _tiny_constant(parameter):
                parameter.fill_(1.0)
                replaced.append(name)
    return replaced


def _norm_scales(model: nn.Module) -> set[int]:
    """The γ of every normalisation layer: a 1-D `weight` of a module that is not a matrix."""
    return {
        id(module.weight)
        for module in model.modules()
        if isinstance(getattr(module, "weight", None), nn.Parameter)
        and module.weight.ndim == 1
        and "norm" in type(module).__name__.lower()
    }


def _is_scale(name: str) -> bool:
    """Whether a parameter's own name is one that timm gives to layer scales and skip gains."""
    own = name.rpartition(".")[2].lower()
    return own.startswith(("gamma", "layer_scale", "skipinit_gain")) or own in _SCALE_NAMES


def _tiny_constant(parameter: torch.Tensor) -> bool:
    first = parameter.flatten()[0]
    return bool((parameter == first).all()) and abs(float(first)) < TINY_SCALE_BELOW
