"""How many weights changed their sign in training."""

from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores._score import score
from zoo_eval.scores.initialisation._weights import with_start


@score(unit="fraction", higher_is_better=None, bounds=(0.0, 1.0), cost="none")
def sign_change(model: nn.Module, initial_model: nn.Module) -> float:
    """Share of the weights whose sign is not that of the start.

    Of all weights of convolutions and linear layers that are zero neither now nor at the start.
    DenseShift trains the sign and the size of a weight apart, so that signs may freeze; its own
    measure of that is in a part that was not seen, and this is ours.

    The start is what timm's initialisation gives with the manifest's `seed`: the true one, where
    the network was trained from there, as in the fashion zoo. Without a seed it is a fresh draw,
    and not what the network came from: then the value is near 1/2 and says nothing.

    Args:
        model: The network.
        initial_model: The same before training.

    Returns:
        From 0 (every sign is kept) to 1; 1/2 is that of unrelated networks.

    Raises:
        InputError: the networks are not of one architecture.
        ScoreUndefinedError: there is no convolution or linear layer, or no weight to compare.

    References:
        Li et al., "DenseShift: Towards Accurate and Efficient Low-Bit Power-of-Two
            Quantization", ICCV 2023, https://arxiv.org/abs/2208.09708
    """
    changed, counted = 0, 0
    for weight, before in with_start(model, initial_model):
        signs = weight.sign() * before.sign()
        changed += int((signs < 0).sum())
        counted += int((signs != 0).sum())
    if not counted:
        raise ScoreUndefinedError(
            "A change of sign needs weights that are not zero at the start and now, but there is "
            "none."
        )
    return changed / counted
