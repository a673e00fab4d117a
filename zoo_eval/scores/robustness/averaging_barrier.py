"""What the average of two checkpoints loses against them."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Int
from scipy.special import log_softmax
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.batch_norm import calibrate_batch_norm
from zoo_eval.quantities.forward import forward_pass
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.module_state import in_mode
from zoo_eval.quantities.sibling import needed_sibling
from zoo_eval.scores._score import score
from zoo_eval.transforms.averaging import averaged_network


@score(
    unit="nats",
    higher_is_better=False,
    bounds=(-float("inf"), float("inf")),
    cost="3 forwards",
)
def averaging_barrier(
    model: nn.Module,
    sibling_model: nn.Module | None,
    images: Iterable[Tensor],
    probe_images: Images,
    head_labels: Int[np.ndarray, " n"] | None,
    *,
    corrected: bool = False,
) -> float:
    """Loss halfway between two checkpoints less the mean of their own losses.

    The network's parameters are averaged with those of its sibling, the line of the manifest that
    its column `sibling` names. The loss is the mean cross-entropy of the images; the score is
    L((A + B) / 2) − (L(A) + L(B)) / 2.

    Batch norm would else measure how badly statistics of A fit the average: so of all three
    networks they are taken anew, from the probe images.

    Networks trained from different starts are not connected by a line: the average of theirs is
    near chance, corrected or not, and the barrier about ln(classes) less their loss. Low values
    are for checkpoints of one training, or fine-tuned from one start. Of the paper, averaging and
    its correction are kept; its protocol of gossiping peers is not.

    Args:
        model: The network.
        sibling_model: Its sibling.
        images: Of the dataset.
        probe_images: From which batch norm takes its statistics.
        head_labels: Classes of the images, as the head counts them.
        corrected: Whether the averaged weights are given back the variance that averaging took,
            see `averaging_retention`; ε = 1e-12.

    Returns:
        0 for a network and itself; below 0 where the average is better than the two.

    Raises:
        ScoreUndefinedError: the manifest names no sibling, or the network's classes are not the
            dataset's.
        NotFiniteError: the average overflows.

    References:
        "Vanishing Variance Problem in Fully Decentralized Neural-Network Systems", 2024,
            https://arxiv.org/abs/2404.04616
        Frankle et al., "Linear Mode Connectivity and the Lottery Ticket Hypothesis", ICML 2020
            (the barrier), https://arxiv.org/abs/1912.05671
    """
    sibling = needed_sibling(sibling_model)
    if head_labels is None:
        raise ScoreUndefinedError(
            "A loss needs a network whose classes include the dataset's, which this one's do not."
        )
    middle = averaged_network(model, sibling, corrected=corrected)
    ends = [_loss(network, images, probe_images, head_labels) for network in (model, sibling)]
    return _loss(middle, images, probe_images, head_labels) - sum(ends) / 2


def _loss(
    network: nn.Module,
    images: Iterable[Tensor],
    probe_images: Images,
    labels: Int[np.ndarray, " n"],
) -> float:
    with in_mode(network, "eval"):
        calibrate_batch_norm(network, probe_images)
        logits = forward_pass(network, images).logits.astype(np.float64)
    return -float(log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())
