"""NASWOT: do different images switch on different units?"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradients import Images, logits_of
from zoo_eval.quantities.module_state import in_mode, module_mode
from zoo_eval.scores._score import INITIAL, score
from zoo_eval.scores.zero_cost._per_image import rows_per_image

# "elu" is in ReLU, LeakyReLU, PReLU, ELU, CELU, SELU, GELU and their variants; "swish" and
# "mish" are in the Hard ones too. Gates (sigmoid, softmax, tanh) are none of these.
_ACTIVATION_NAMES = ("elu", "silu", "swish", "mish")

# Units per matrix product: fewer than 2²⁴, so that float32 holds every count exactly.
_CHUNK = 1 << 20


@score(unit="nats", higher_is_better=True, weights=INITIAL)
def naswot(model: nn.Module, probe_images: Images, *, mode: str = "eval") -> float:
    """Log-determinant of the agreement of binary codes, ln det K.

    Kᵢⱼ is the number of units that images i and j switch alike. A unit is an element of the
    input of an activation module, and is on if it is positive. For ReLU that is the paper's
    rule. For GELU, SiLU, Mish, hard swish and the like too, the sign of the input is the sign
    of the output; taking the input makes the rule one for all.

    An activation module is one without children whose class name contains, in any case,
    "elu", "silu", "swish" or "mish"; sigmoid, softmax and tanh, which serve as gates, are not
    among them. Activations called as functions are not seen, nor those whose input does not
    come per image (position networks).

    By Hadamard's inequality at most n ln(number of units), and mostly near it, so it follows
    `activations`.

    Args:
        model: The network.
        probe_images: n ≥ 2 different images, shape (n, channels, height, width). The value
            grows with n, so only values with the same n compare.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the batch's own statistics.

    Returns:
        A real number. Unchanged by the order of the images.

    Raises:
        InputError: fewer than two images, or another `mode`.
        ScoreUndefinedError: no activation module was used; or K is singular, because two
            images have the same code, or there are fewer units than images; or the
            network's output is NaN.

    References:
        Mellor et al., "Neural Architecture Search without Training", ICML 2021, Eq. (2),
            https://arxiv.org/abs/2006.04647
    """
    n = len(probe_images)
    if n < 2:
        raise InputError(f"naswot compares images, but got {n} of them.")
    n_units, code_products = _code_products(model, probe_images, mode)
    if n_units == 0:
        raise ScoreUndefinedError(
            f"naswot needs activation modules, but {type(model).__name__} ran none with "
            f"{', '.join(_ACTIVATION_NAMES)} in its class name."
        )
    agreement = (n_units + code_products) / 2
    if np.linalg.matrix_rank(agreement, hermitian=True) < n:
        i, j = divmod(int(np.argmax(np.triu(code_products, k=1))), n)
        raise ScoreUndefinedError(
            f"The agreement matrix of {n} images and {n_units} units is singular; images {i} "
            f"and {j} agree in {int(agreement[i, j])} units. Are they the same?"
        )
    return float(np.linalg.slogdet(agreement).logabsdet)


def _code_products(
    model: nn.Module, images: Images, mode: str
) -> tuple[int, Float[np.ndarray, "n n"]]:
    """The number of units U, and S Sᵀ for codes S of ±1; U + S Sᵀ is twice the agreement."""
    n = len(images)
    n_units = 0
    products = np.zeros((n, n))

    def before_activation(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        nonlocal n_units, products
        values = inputs[0].detach()
        if values.ndim == 0 or rows_per_image(len(values), n) is None:
            return
        for chunk in values.reshape(n, -1).split(_CHUNK, dim=1):
            code = (chunk > 0).float() * 2 - 1
            n_units += code.shape[1]
            products += (code @ code.T).double().cpu().numpy()

    handles = [
        module.register_forward_pre_hook(before_activation)
        for module in model.modules()
        if _is_activation(module)
    ]
    try:
        with in_mode(model, module_mode(mode)), torch.no_grad():
            logits = logits_of(model, images)
    finally:
        for handle in handles:
            handle.remove()
    if logits.isnan().any():
        raise ScoreUndefinedError(
            f"The logits of {int(logits.isnan().any(dim=1).sum())} of {n} images are NaN, so the "
            "codes are not to be trusted. Does the network overflow with these weights?"
        )
    return n_units, products


def _is_activation(module: nn.Module) -> bool:
    name = type(module).__name__.lower()
    return any(part in name for part in _ACTIVATION_NAMES) and not any(module.children())
