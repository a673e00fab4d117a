"""What timm knows about published weights, by name."""

from functools import cache
from typing import Any

from zoo_eval.models.torchvision_ops import ensure_torchvision


@cache  # timm copies it each time, which takes most of the time of a plan; not to be changed
def timm_config(name: str) -> Any | None:  # noqa: ANN401  # timm's PretrainedCfg
    """What timm states of `architecture.tag`; None if timm has no weights of that name.

    A bare architecture gives the configuration that timm constructs it with. timm itself raises
    where the architecture exists and the tag does not, as in every manifest of own weights.
    """
    ensure_torchvision()
    from timm.models import get_pretrained_cfg

    try:
        return get_pretrained_cfg(name, allow_unregistered=True)
    except RuntimeError:
        return None
