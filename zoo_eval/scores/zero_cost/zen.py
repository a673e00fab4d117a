"""Zen-score: how strongly do the features answer to a small change of the image?"""

import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.module_state import Mode, in_mode, module_mode
from zoo_eval.scores._score import INITIAL, score
from zoo_eval.scores.zero_cost._feature_map import feature_maps


@score(unit="nats", higher_is_better=True, weights=INITIAL, cost="2 forwards")
def zen(
    model: nn.Module,
    probe_images: Images,
    *,
    mixup_gamma: float | int = 0.01,
    inputs: str = "probe",
    mode: str = "eval",
) -> float:
    """Log of the features' mean change, plus the log scales of batch norm.

    ln (1/n) Σᵢ ‖f(xᵢ + γ εᵢ) − f(xᵢ)‖₁ + Σₗ ln √(mean_c vₗ_c). f are the features before the
    pooling, ε is normal noise (the same in every call), v the running variances of batch norm
    l. The second term gives back the scale that batch norm takes out of the first.

    f is `forward_features` if the network has it (all of timm's do; several tensors count as
    one), else the last output of a module that still is a feature map or a sequence of tokens.

    The weights are those given. The published program draws normal weights first, of variance
    1 for convolutions and linear layers; for a small residual network with batch norm that
    gives 8.34 in place of 2.54 in train mode. It fails on features (n, tokens, channels); here all
    dimensions but the first are summed over. It counts BatchNorm2d alone, here all batch
    norms count. Networks without batch norm have no second term, as there: across kinds of
    norms the values do not compare.

    Args:
        model: The network.
        probe_images: x; shape (n, channels, height, width).
        mixup_gamma: γ, the size of the change.
        inputs: "probe", or "noise": x is normal noise too, of the shape of the probe images, as
            in the paper.
        mode: "eval", or "paper": train mode as in the published program. Batch norm uses the
            batch's own statistics then, and v are the running variances after both passes.

    Returns:
        A real number. Grows with the size of the feature map, and with the depth of networks
        with batch norm.

    Raises:
        InputError: another `inputs` or `mode`; or `mixup_gamma` is not a positive number.
        ScoreUndefinedError: no feature map; features that are not finite or do not change; or
            a batch norm without running variance, or whose running variance is zero.

    References:
        Lin et al., "Zen-NAS: A Zero-Shot NAS for High-Performance Image Recognition", ICCV
            2021, Algorithm 1, https://arxiv.org/abs/2102.01063
    """
    if inputs not in ("probe", "noise"):
        raise InputError(f"inputs must be 'probe' or 'noise', but is {inputs!r}.")
    if not 0 < mixup_gamma < math.inf:
        raise InputError(f"mixup_gamma must be a positive number, but is {mixup_gamma}.")
    generator = torch.Generator().manual_seed(0)
    images, noise = (
        torch.randn(probe_images.shape, generator=generator).to(probe_images) for _ in range(2)
    )
    if inputs == "probe":
        images = probe_images
    return zen_score(model, images, noise, float(mixup_gamma), module_mode(mode))


def zen_score(model: nn.Module, images: Images, noise: Images, gamma: float, mode: Mode) -> float:
    """The score for given images and noise."""
    with in_mode(model, mode), torch.no_grad():
        before = feature_maps(model, images)
        after = feature_maps(model, images + gamma * noise)
        # In train mode the passes have moved the running variances, which are put back later.
        log_scale = _log_scale(model)
    change = sum(
        float((b - a).abs().sum(dtype=torch.float64)) for a, b in zip(before, after, strict=True)
    ) / len(images)
    if not math.isfinite(change) or change == 0:
        raise ScoreUndefinedError(
            f"The features of {len(images)} images change by {change} in the mean; a positive "
            "number is needed. Does the network overflow, or is it constant, with these weights?"
        )
    return math.log(change) + log_scale


def _log_scale(model: nn.Module) -> float:
    total = 0.0
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm):
            variances: Tensor | None = module.running_var
            mean = None if variances is None else float(variances.double().mean())
            if mean is None or not 0 < mean < math.inf:
                raise ScoreUndefinedError(
                    f"zen needs the running variances of batch norm, but their mean in {name!r} is "
                    f"{mean}."
                )
            total += math.log(mean) / 2
    return total
