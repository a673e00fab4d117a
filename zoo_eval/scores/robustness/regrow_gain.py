"""Whether pruned weights had better be chosen by gradients too."""

from collections.abc import Iterable

from torch import Tensor, nn

from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._plasticity import HeadLabels, halves_of, plasticity


@score(
    unit="accuracy",
    higher_is_better=None,
    bounds=(-1.0, 1.0),
    cost="20 forward and backward of 32 images, 2 forwards",
)
def regrow_gain(
    model: nn.Module,
    images: Iterable[Tensor],
    head_labels: HeadLabels,
    *,
    share: float = 0.5,
    steps: int = 10,
    rate: float = 0.003,
    regrown: float = 0.1,
) -> float:
    """What bringing weights back where gradients are large adds to `pruning_plasticity`.

    Plasticity with regrowth less that without, with as many weights in every tensor. With it, the
    smallest weights of the whole network fall until the given share of those left at the end is
    missing; then in every tensor as many come back as are missing there, from zero, where
    the loss of the training half has the largest gradients. The training afterwards is the same.

    Of the paper, the rule is kept, prune globally and grow by gradient in each layer. There it is
    repeated through training, with a share that falls from 0.5 to 0.005; here it is done once, to a
    trained network, for a few steps of training.

    Args:
        model: The network; copies are pruned and trained.
        images: All images, in batches.
        head_labels: Class of each image, as the head counts them.
        share: Of the weights that are zero in the end.
        steps: Of stochastic gradient descent, 32 images each, momentum 0.9.
        rate: Learning rate.
        regrown: Share of the weights left that are chosen by gradients.

    Returns:
        From −1 to 1; 0: it does not matter.

    Raises:
        InputError: a share outside [0, 1), or fewer than 0 steps.
        ScoreUndefinedError: the network's classes are not the dataset's; there is one image only;
            or the network has no convolution or linear layer.

    References:
        Liu et al., "Sparse Training via Boosting Pruning Plasticity with Neuroregeneration",
            NeurIPS 2021, https://arxiv.org/abs/2106.10404
    """
    halves = halves_of(images, head_labels)
    with_growth, without = (
        plasticity(model, halves, share=share, steps=steps, rate=rate, regrown=part)
        for part in (regrown, 0.0)
    )
    return with_growth - without
