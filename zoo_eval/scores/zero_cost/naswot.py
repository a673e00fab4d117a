"""NASWOT: do different images switch on different units?"""

import numpy as np
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.activation_patterns import ActivationPatterns, read_patterns
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score


@score(unit="nats", higher_is_better=True, weights=INITIAL)
def naswot(
    model: nn.Module,
    probe_images: Images,
    activation_patterns: ActivationPatterns,
    *,
    mode: str = "eval",
) -> float:
    """Log-determinant of the agreement of binary codes, ln det K.

    Kᵢⱼ is the number of units that images i and j switch alike. A unit is an element of the
    input of an activation module, and is on if it is positive. For ReLU that is the paper's
    rule. For GELU, SiLU, Mish, hard swish and the like too, the sign of the input is the sign
    of the output; taking the input makes the rule one for all. The published program knows
    only classes with "ReLU" in their name, and gives ln 0 = −∞ for a network with GELU.

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
        activation_patterns: The codes' inner products in eval mode.
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
    if module_mode(mode) == "train":
        activation_patterns = read_patterns(model, probe_images, "train")
    n_units, code_products = activation_patterns.n_units, activation_patterns.code_products
    agreement = (n_units + code_products) / 2
    if np.linalg.matrix_rank(agreement, hermitian=True) < n:
        i, j = divmod(int(np.argmax(np.triu(code_products, k=1))), n)
        raise ScoreUndefinedError(
            f"The agreement matrix of {n} images and {n_units} units is singular; images {i} "
            f"and {j} agree in {int(agreement[i, j])} units. Are they the same?"
        )
    return float(np.linalg.slogdet(agreement).logabsdet)
