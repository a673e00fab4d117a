"""How much of the weights' variance is left when two checkpoints are averaged."""

from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import needed_weights
from zoo_eval.quantities.sibling import needed_sibling
from zoo_eval.scores._score import score
from zoo_eval.transforms.averaging import averaged


@score(unit="fraction", higher_is_better=None, bounds=(0.0, 1.0 + 1e-9), cost="none")
def averaging_retention(
    model: nn.Module, sibling_model: nn.Module | None, *, corrected: bool = False
) -> float:
    """Variance of the averaged weights over that of the two networks', mean over layers.

    Let A and B be the weights of a convolution or linear layer in the network and in its sibling,
    the line of the manifest that its column `sibling` names. The layer's retention is
    Var((A + B) / 2) / ((Var A + Var B) / 2), which is (1 + ρ) / 2 for equal variances and a
    correlation ρ of the weights; averaged over layers, each counting the same.

    Networks trained from different starts have ρ near 0, and lose half of their variance: their
    average is near chance, whatever its variance. Fine-tuned from one start they have ρ near 1.

    Of the paper, the measure and its correction are kept; its protocol of gossiping peers is not.

    Args:
        model: The network.
        sibling_model: Its sibling.
        corrected: Whether of the average after the paper's correction, with ε = 1e-12: 1 but for
            rounding, and what `averaging_barrier` then evaluates.

    Returns:
        From 0 (B = c − A) through ½ (unrelated) to 1 (equal but for a constant). Unchanged by the
        scale of both networks and by their order.

    Raises:
        ScoreUndefinedError: the manifest names no sibling, the network has no convolution or
            linear layer, or in none of them weights vary.

    References:
        "Vanishing Variance Problem in Fully Decentralized Neural-Network Systems", 2024,
            https://arxiv.org/abs/2404.04616

    >>> import torch
    >>> one, other = nn.Linear(2, 1), nn.Linear(2, 1)
    >>> _ = one.weight.data.copy_(torch.tensor([[1.0, -1.0]]))
    >>> _ = other.weight.data.copy_(torch.tensor([[3.0, -3.0]]))
    >>> averaging_retention(one, other)  # (2, −2) has variance 8, the two have 2 and 18
    0.8
    """
    others = dict(needed_weights(needed_sibling(sibling_model)))
    layers: list[float] = []
    for name, weight in needed_weights(model):
        pair = (weight, others[name])
        variances = [float(each.detach().double().var()) for each in pair]
        if weight.numel() > 1 and sum(variances) > 0:
            left = float(averaged(pair, corrected=corrected).var())
            layers.append(left / (sum(variances) / 2))
    if not layers:
        raise ScoreUndefinedError(
            f"No layer of {type(model).__name__} has weights that vary: there is none to keep."
        )
    return sum(layers) / len(layers)
