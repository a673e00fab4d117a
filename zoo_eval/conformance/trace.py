"""What a score may leave behind in a network, in its inputs and in torch."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo_eval.conformance.process import process_state

Snapshot = dict[str, object]


def snapshot(givens: Mapping[str, Any]) -> Snapshot:
    """Everything of the givens and of the process that a score must leave as it is, by name."""
    found: Snapshot = {}
    for name, value in givens.items():
        found.update(_of_model(value) if isinstance(value, nn.Module) else _of_input(name, value))
    found.update(process_state())
    return found


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """Names of what changed, appeared or went."""
    return [
        name
        for name in (*before, *(name for name in after if name not in before))
        if name not in before or name not in after or before[name] != after[name]
    ]


def _of_model(model: nn.Module) -> Iterator[tuple[str, object]]:
    for name, parameter in model.named_parameters(remove_duplicate=False):
        yield f"parameter {name}", _content(parameter)
        yield f"requires_grad of {name}", parameter.requires_grad
        gradient = parameter.grad
        yield f"gradient of {name}", None if gradient is None else _content(gradient)
        yield f"hooks of {name}", _n_hooks(parameter)
    for name, buffer in model.named_buffers(remove_duplicate=False):
        yield f"buffer {name}", _content(buffer)
    for name, module in model.named_modules(remove_duplicate=False):
        place = name or "the network"
        yield f"module {place}", (id(module), type(module))
        yield f"training flag of {place}", module.training
        yield f"hooks of {place}", _n_hooks(module)
        yield f"forward of {place}", vars(module).get("forward")
        yield f"attributes of {place}", sorted(vars(module))


def _of_input(name: str, value: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401
    for place, one in enumerate(value if isinstance(value, list) else [value]):
        called = f"batch {place} of {name}" if isinstance(value, list) else name
        if isinstance(one, Tensor):
            yield called, _content(one)
            yield f"requires_grad of {called}", one.requires_grad
            yield f"gradient of {called}", one.grad is None
        else:
            yield called, one.tobytes() if isinstance(one, np.ndarray) else one


def _content(tensor: Tensor) -> tuple[int, torch.dtype, tuple[int, ...], bytes]:
    return id(tensor), tensor.dtype, tuple(tensor.shape), tensor.detach().numpy().tobytes()


def _n_hooks(owner: nn.Module | Tensor) -> dict[str, int]:
    """Number of hooks in each of the registers that torch keeps."""
    registers = {k: v for k, v in vars(owner).items() if k.endswith("_hooks")}
    if isinstance(owner, Tensor):  # these are no ordinary attributes
        for key in ("_backward_hooks", "_post_accumulate_grad_hooks"):
            registers[key] = getattr(owner, key, None)
    return {key: len(hooks or ()) for key, hooks in registers.items()}
