"""Linear regions: into how many cells of its input space do the images fall?"""

import numpy as np
from torch import nn

from zoo_eval.quantities.activation_patterns import ActivationPatterns, read_patterns
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score


@score(unit="regions", higher_is_better=True, bounds=(1.0, float("inf")), weights=INITIAL)
def linear_regions(
    model: nn.Module,
    probe_images: Images,
    activation_patterns: ActivationPatterns,
    *,
    mode: str = "eval",
) -> float:
    """Number of different binary codes among the images, |{c₁, …, cₙ}|.

    The code cᵢ says of each unit whether image i switches it on; units and the rule for "on"
    are those of `naswot`. A network of ReLUs is linear in each cell of images with one code.

    It saturates: with the size of real images every image has a code of its own, and the
    value is n for every network. It tells networks apart only if they are tiny (the program
    sends 3,000 images of one channel and 3 × 3 pixels), or by showing that images coincide.

    The published program counts `nn.ReLU` with feature maps alone, and fails without one; in
    the copy of ZenNAS it fails with every network, since today's PyTorch refuses its addition
    into overlapping memory.

    Args:
        model: The network.
        probe_images: n images, shape (n, channels, height, width). Only values with the same
            n compare.
        activation_patterns: The codes' inner products in eval mode.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the batch's own statistics.

    Returns:
        A whole number from 1 (all images alike) to n. Unchanged by the order of the images
        and by repeating one (in eval mode).

    Raises:
        InputError: another `mode`.
        ScoreUndefinedError: no activation module was used, or the network's output is NaN.

    References:
        Chen et al., "Neural Architecture Search on ImageNet in Four GPU Hours: A
            Theoretically Inspired Perspective", ICLR 2021, Section 3.1.2,
            https://arxiv.org/abs/2102.11535
        Xiong et al., "On the Number of Linear Regions of Convolutional Neural Networks",
            ICML 2020, https://arxiv.org/abs/2006.00978
    """
    if module_mode(mode) == "train":
        activation_patterns = read_patterns(model, probe_images, "train")
    # Equal codes have the inner product of a code with itself, and are equal to the same others.
    is_same = activation_patterns.code_products == activation_patterns.n_units
    return float(len(np.unique(is_same.argmax(axis=1))))
