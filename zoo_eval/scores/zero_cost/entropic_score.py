"""Entropic score: how undecided are the units over the images?"""

import numpy as np
from scipy.special import entr
from torch import nn

from zoo_eval.quantities.activation_patterns import ActivationPatterns, read_patterns
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score


@score(unit="bits", higher_is_better=True, bounds=(0.0, float("inf")), weights=INITIAL)
def entropic_score(
    model: nn.Module,
    probe_images: Images,
    activation_patterns: ActivationPatterns,
    *,
    per_unit: bool = False,
    mode: str = "eval",
) -> float:
    """Summed binary entropy of the units, Σᵤ H(pᵤ).

    pᵤ is the share of the images that switch unit u on, H(p) = −p log₂ p − (1 − p) log₂(1 − p);
    units and the rule for "on" are those of `naswot`.

    This is our reading of the paper's abstract, "the aggregated element-wise entropy of its
    activations": we know no public program to compare with. What the paper's own form does
    beyond that (how it bins, whether it sums or averages) we could not check.

    The sum grows with the number of units, as `activations` does; `per_unit=True` takes the
    size out.

    Args:
        model: The network.
        probe_images: n images, shape (n, channels, height, width). Only values with the same
            n compare.
        activation_patterns: How many units are on for how many images, in eval mode.
        per_unit: Divide by the number of units: then it is from 0 to 1.
        mode: "eval", or "paper": train mode, where batch norm uses the batch's own statistics.

    Returns:
        From 0 (no unit tells any two images apart) to the number of units (each is on for half
        of the images). Unchanged by the order of the images, and by repeating all of them (in
        eval mode).

    Raises:
        InputError: another `mode`.
        ScoreUndefinedError: no activation module was used, or the network's output is NaN.

    References:
        Cavagnero et al., "Entropic Score metric: Decoupling Topology and Size in
            Training-free NAS", ICCV Workshops 2023, https://arxiv.org/abs/2310.04179
    """
    if module_mode(mode) == "train":
        activation_patterns = read_patterns(model, probe_images, "train")
    share_on = np.linspace(0, 1, len(activation_patterns.units_by_images_on))
    entropy = (entr(share_on) + entr(1 - share_on)) / np.log(2)
    total = float(activation_patterns.units_by_images_on @ entropy)
    return total / activation_patterns.n_units if per_unit else total
