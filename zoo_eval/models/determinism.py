"""Takes chance out of a network before it is scored."""

from torch import nn


def switch_off_dropout(model: nn.Module) -> None:
    """Set every dropout and stochastic-depth rate to 0, so that train mode is deterministic too.

    Most rates are numbers with `drop` in their name (`drop_prob`, `drop_rate`, `attn_drop_p`,
    `patch_drop_rate`, the `dropout` of torch's attention and recurrent layers); the dropout
    layers themselves keep theirs as `p`, or `prob`.
    """
    for module in model.modules():
        is_dropout = "Dropout" in type(module).__name__
        for name, value in list(vars(module).items()):
            is_rate = "drop" in name or (is_dropout and name in ("p", "prob"))
            if is_rate and isinstance(value, float):
                setattr(module, name, 0.0)
