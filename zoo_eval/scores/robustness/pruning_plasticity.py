"""How much of what pruning costs a little training brings back."""

from collections.abc import Iterable

from torch import Tensor, nn

from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._plasticity import HeadLabels, halves_of, plasticity


@score(
    unit="accuracy",
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    cost="10 forward and backward of 32 images, 1 forward",
)
def pruning_plasticity(
    model: nn.Module,
    images: Iterable[Tensor],
    head_labels: HeadLabels,
    *,
    share: float = 0.5,
    steps: int = 10,
    rate: float = 0.003,
) -> float:
    """Accuracy after pruning and a few steps of training, less the accuracy before.

    The smallest weights of all convolutions and linear layers, the given share, become zero and
    stay so; then all parameters are trained on one half of the images, and accuracy is that on the
    other half. Batch norm keeps its statistics. With more than 512 images, 512 are taken.

    Of the paper, the quantity is kept, in its own words the ability to recover. There it is
    followed through training; here it is of the trained network, and for a few steps on few images:
    a network that would recover in an epoch may not do so here. Of n images accuracy has steps
    of 2 / n.

    Args:
        model: The network; a copy is pruned and trained.
        images: All images, in batches.
        head_labels: Class of each image, as the head counts them.
        share: Of the weights that become zero.
        steps: Of stochastic gradient descent, 32 images each, momentum 0.9.
        rate: Learning rate.

    Returns:
        From −1 to 1; 0: as accurate as before. Above 0 where training on did it good.

    Raises:
        InputError: a share outside [0, 1), or fewer than 0 steps.
        ScoreUndefinedError: the network's classes are not the dataset's; there is one image only;
            or the network has no convolution or linear layer.

    References:
        Liu et al., "Sparse Training via Boosting Pruning Plasticity with Neuroregeneration",
            NeurIPS 2021, https://arxiv.org/abs/2106.10404
    """
    halves = halves_of(images, head_labels)
    return plasticity(model, halves, share=share, steps=steps, rate=rate)
