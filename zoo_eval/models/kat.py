"""A small Kolmogorov–Arnold transformer, which timm does not have.

It is a vision transformer whose MLPs x ↦ W₂ σ(W₁ x) have learned functions in place of a fixed σ,
one before each matrix: x ↦ W₂ R₂(W₁ R₁(x)), with R₁ and R₂ rational by group of channels; R₁ begins
as the identity, R₂ near GELU. All else, the initial weights too, is timm's vision transformer; the
paper draws W with a variance that makes up for R.

References:
    Yang and Wang, "Kolmogorov–Arnold Transformer", ICLR 2025, https://arxiv.org/abs/2409.10594
"""

from typing import Any

import torch
from torch import Tensor, nn

from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.transforms.group_rational import GroupRational

ensure_torchvision()
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402

default_cfgs = generate_default_cfgs({"kat_micro_patch4_28": {"input_size": (3, 28, 28)}})


class GroupRationalMlp(nn.Module):
    """W₂ R₂(W₁ R₁(x)), with timm's arguments for the MLP of a block.

    Args:
        in_features: Length of x and of the result.
        hidden_features: Length of W₁ R₁(x).
        bias: Whether both matrices have one.
        drop: Chance that an element of the result is left out in training.
        device: Where the weights are made.
        dtype: Of the weights.
        unused: What a fixed σ and its normalisation would be.
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        bias: bool = True,
        drop: float = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **unused: Any,  # noqa: ANN401 - timm gives every MLP the same arguments
    ) -> None:
        super().__init__()
        self.act1 = GroupRational("identity").to(device, dtype)
        self.fc1 = nn.Linear(in_features, hidden_features, bias, device, dtype)
        self.act2 = GroupRational("gelu").to(device, dtype)
        self.fc2 = nn.Linear(hidden_features, in_features, bias, device, dtype)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        """Of tokens, (…, in_features)."""
        return self.drop(self.fc2(self.act2(self.fc1(self.act1(x)))))


@register_model
def kat_micro_patch4_28(pretrained: bool = False, **arguments: Any) -> VisionTransformer:  # noqa: ANN401
    """KAT for images of 28 pixels: patches of 4, width 48, 3 blocks, 8 groups."""
    own: dict[str, Any] = {"img_size": 28, "patch_size": 4, "embed_dim": 48, "depth": 3}
    own |= {"num_heads": 3, "mlp_ratio": 2.0, "mlp_layer": GroupRationalMlp, **arguments}
    return build_model_with_cfg(VisionTransformer, "kat_micro_patch4_28", pretrained, **own)
