"""EPE-NAS: are images of one class pulled in unlike directions?"""

import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import Images, Labels
from zoo_eval.quantities.input_gradients import InputGradients, summed_logit_gradients
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score
from zoo_eval.scores.zero_cost._input_correlations import input_correlations

# Both of the published program.
_EPSILON = 1e-5
_MANY_CLASSES = 100


@score(
    unit="nats",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward, 1 backward",
)
def epe_nas(
    model: nn.Module,
    probe_images: Images,
    probe_labels: Labels,
    input_gradients: InputGradients,
    *,
    mode: str = "eval",
) -> float:
    """Class-wise correlation of input gradients, Σ_c |s_c|.

    s_c = Σᵢⱼ ln(|ρᵢⱼ| + ε) over the images i, j of class c, with ρᵢⱼ the Pearson correlation of
    the gradients Jᵢ and Jⱼ, Jᵢ the gradient of the sum of image i's logits with respect to
    that image's pixels, and ε = 10⁻⁵. A network with more than 100 outputs gets the other of
    the paper's two forms: s_c divided by the number of images of class c, and in place of the
    sum (1/C) Σ_c Σ_c' |s_c − s_c'|, with C the number of classes that count.

    A class counts if it has two images or more. NASLib's program counts one image as ln(1 + ε),
    10⁻⁵, below 101 classes. It takes the number of classes from the dataset, here it is that of
    the network's outputs. Gradients come in the network's precision; the rest is float64.

    Args:
        model: The network.
        probe_images: n images, shape (n, channels, height, width).
        probe_labels: Their class ids, shape (n,). The value grows with the number of images
            per class and (up to 100 outputs) of classes.
        input_gradients: The rows Jᵢ in eval mode.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            makes an image's logits depend on the others.

    Returns:
        From 0 (gradients within each class parallel; or, in the second form, all classes
        alike) up, by at most −ln ε = 11.5 for each pair i ≠ j. Unchanged by the order of the
        images, by the names of classes and by the scale of the logits.

    Raises:
        InputError: another `mode`.
        ScoreUndefinedError: no class (for the second form: not two) has two images; an image's
            gradient is the same for all its pixels (zero, say: the head's weights are), so it
            has no correlation; or a gradient is not finite.

    References:
        Lopes et al., "EPE-NAS: Efficient Performance Estimation Without Training for Neural
            Architecture Search", ICANN 2021, https://arxiv.org/abs/2102.08099
    """
    if module_mode(mode) == "train":
        input_gradients = summed_logit_gradients(model, probe_images, "train")
    many = input_gradients.n_outputs > _MANY_CLASSES
    classes, sizes = probe_labels.unique(return_counts=True)
    repeated = classes[sizes > 1]
    needed = 2 if many else 1
    if len(repeated) < needed:
        raise ScoreUndefinedError(
            f"EPE-NAS compares images of one class, but {len(repeated)} of {len(classes)} classes "
            f"among {len(probe_labels)} probe images have two or more; {needed} needed for "
            f"{input_gradients.n_outputs} outputs. Take more images per class."
        )
    correlations = input_correlations(input_gradients.rows, "epe_nas")
    logs = (correlations.abs() + _EPSILON).log()
    sums: list[float] = []
    for label in repeated:
        members = torch.nonzero(probe_labels == label)[:, 0].to(logs.device)
        total = logs[members][:, members].sum()
        sums.append(float(total / len(members) if many else total))
    if many:
        return sum(abs(a - b) for a in sums for b in sums) / len(sums)
    return sum(map(abs, sums))
