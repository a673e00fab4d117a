"""Which units of the activations each probe image switches on, without keeping the units."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.gradients import Images, logits_of
from zoo_eval.quantities.module_state import Mode, in_mode

# "elu" is in ReLU, LeakyReLU, PReLU, ELU, CELU, SELU, GELU and their variants; "swish" and
# "mish" are in the Hard ones too. Gates (sigmoid, softmax, tanh) are none of these.
ACTIVATION_NAMES = ("elu", "silu", "swish", "mish")

# Units looked at together: fewer than 2²⁴, so that float32 holds every count exactly.
_CHUNK = 1 << 18

# Patterns that are collected before repeated ones are dropped.
_BUFFER = 1 << 22


@dataclass(frozen=True)
class ActivationPatterns:
    """What the on/off states of U units for n images amount to.

    A unit is an element of the input of an activation module; it is on for an image if it is
    positive. For ReLU, GELU, SiLU, Mish, hard swish and the like the sign of the input is the
    sign of the output, so that the rule is one for all.

    Attributes:
        n_units: U, units per image.
        code_products: S Sᵀ for the codes S of the images, n × U, of +1 (on) and −1 (off).
        units_by_images_on: How many units are on for exactly 0, 1, …, n images.
        n_distinct_units: Number of different rows of states that the units have across the
            images, of 2ⁿ possible ones.
    """

    n_units: int
    code_products: Float[np.ndarray, "n n"]
    units_by_images_on: Int[np.ndarray, " n_plus_1"]
    n_distinct_units: int


def is_activation(module: nn.Module) -> bool:
    """Whether a module without children has the name of an activation in its class name."""
    name = type(module).__name__.lower()
    return any(part in name for part in ACTIVATION_NAMES) and not any(module.children())


@quantity
def activation_patterns(model: nn.Module, probe_images: Images) -> ActivationPatterns:
    """On/off states of all units of activation modules, in eval mode."""
    return read_patterns(model, probe_images, "eval")


def read_patterns(
    model: nn.Module,
    images: Images,
    mode: Mode,
    counts: Callable[[nn.Module, Tensor], bool] = lambda module, values: True,
) -> ActivationPatterns:
    """Collect the patterns in one forward pass.

    Activations that are called as functions are not seen; those inside timm's norm layers
    are, because these hold them as modules. Inputs that do not come per image (position
    networks) are left out. Of each unit, n bits are kept: less than the n numbers that the
    forward pass itself keeps of each unit of a layer.

    Args:
        model: The network.
        images: Shape (n, channels, height, width).
        mode: "eval" or "train".
        counts: Which activation modules count, given the module and its input.

    Raises:
        ScoreUndefinedError: no activation module was used, or the network's output is NaN.
    """
    n = len(images)
    collected = _Collected(n)

    def before_activation(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].detach()
        shared_out = values.ndim > 0 and len(values) > 0 and len(values) % n == 0
        if shared_out and counts(module, values):
            for chunk in values.reshape(n, -1).split(_CHUNK, dim=1):
                collected.add(chunk > 0)

    handles = [
        module.register_forward_pre_hook(before_activation)
        for module in model.modules()
        if is_activation(module)
    ]
    try:
        with in_mode(model, mode), torch.no_grad():
            logits = logits_of(model, images)
    finally:
        for handle in handles:
            handle.remove()
    if logits.isnan().any():
        raise ScoreUndefinedError(
            f"The logits of {int(logits.isnan().any(dim=1).sum())} of {n} images are NaN, so the "
            "codes are not to be trusted. Does the network overflow with these weights?"
        )
    if collected.n_units == 0:
        raise ScoreUndefinedError(
            f"Activation patterns need activation modules, but {type(model).__name__} ran none "
            f"with {', '.join(ACTIVATION_NAMES)} in its class name."
        )
    return ActivationPatterns(
        collected.n_units,
        collected.code_products,
        collected.units_by_images_on,
        collected.distinct.count(),
    )


class _Collected:
    def __init__(self, n: int) -> None:
        self.n_units = 0
        self.code_products = np.zeros((n, n))
        self.units_by_images_on = np.zeros(n + 1, dtype=np.int64)
        self.distinct = _DistinctPatterns()

    def add(self, on: Bool[Tensor, "n units"]) -> None:
        n, n_units = on.shape
        code = on.float() * 2 - 1
        self.n_units += n_units
        self.code_products += (code @ code.T).double().cpu().numpy()
        self.units_by_images_on += torch.bincount(on.sum(dim=0), minlength=n + 1).cpu().numpy()
        self.distinct.add(on.cpu().numpy())


class _DistinctPatterns:
    """Counts different columns; keeps each one once, packed to bits."""

    def __init__(self) -> None:
        self._known: list[np.ndarray] = []
        self._n_new = 0

    def add(self, on: Bool[np.ndarray, "n units"]) -> None:
        packed = np.packbits(on, axis=0)
        n_bytes = -(-len(packed) // 8) * 8
        rows = np.zeros((packed.shape[1], n_bytes), dtype=np.uint8)
        rows[:, : len(packed)] = packed.T
        # Whole numbers sort faster than bytes; more than 64 images need bytes.
        self._known.append(_distinct(rows.view("u8" if n_bytes == 8 else f"V{n_bytes}")[:, 0]))
        self._n_new += len(self._known[-1])
        # As many new ones as there are old ones: each is merged a few times only.
        if self._n_new > max(_BUFFER, len(self._known[0])):
            self.count()

    def count(self) -> int:
        self._known = [_distinct(np.concatenate(self._known))]
        self._n_new = 0
        return len(self._known[0])


def _distinct(patterns: np.ndarray) -> np.ndarray:
    patterns = np.sort(patterns)  # np.unique is ten times slower on millions of numbers
    is_first = np.ones(len(patterns), dtype=bool)
    is_first[1:] = patterns[1:] != patterns[:-1]
    return patterns[is_first]
