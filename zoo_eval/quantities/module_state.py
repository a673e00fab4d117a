"""Looking into a network without leaving a trace: mode, buffers, gradients, attention.

Every score that runs a module goes through `in_mode`. What it needs beyond that (gradients
of frozen weights, second derivatives of attention) it asks for here too, and gets back only
for as long as the `with` block lasts.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from zoo_eval.errors import InputError

Mode = Literal["eval", "train"]

CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
LINEAR_MAPS = (*CONVOLUTIONS, nn.Linear)


def module_mode(option: str) -> Mode:
    """What a score's option `mode` asks for: "eval" is eval(), "paper" is train().

    The published programs of most zero-cost scores leave the network in train mode, where
    batch norm mixes the images of a batch.

    Raises:
        InputError: another word.
    """
    modes: dict[str, Mode] = {"eval": "eval", "paper": "train"}
    if option not in modes:
        raise InputError(f"mode must be 'eval' or 'paper', but is {option!r}.")
    return modes[option]


@contextmanager
def in_mode(model: nn.Module, mode: Mode) -> Generator[None, None, None]:
    """Put a network into eval or train mode, and put everything back afterwards.

    Restored bit for bit, also after an exception: every attribute of every submodule (the
    training flag, which a caller may have set differently here and there; hooks), the
    contents of its dictionaries (buffers that are filled on first use, caches as in timm's
    LeViT), the values of all buffers (running statistics), and the random generators. Within
    the block autocast is off and the generators start from seed 0, so that dropout in train
    mode is the same in every run.
    """
    attributes = [(vars(module), dict(vars(module))) for module in model.modules()]
    registers: list[tuple[dict[Any, Any], dict[Any, Any]]] = [
        (value, dict(value))
        for _, before in attributes
        for value in before.values()
        if isinstance(value, dict)
    ]
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        with ExitStack() as stack:
            _seed_generators(model, stack)
            if mode == "train":
                model.train()
            else:
                model.eval()
            yield
    finally:
        for now, before in (*attributes, *registers):
            now.clear()
            now.update(before)
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)


def _seed_generators(model: nn.Module, stack: ExitStack) -> None:
    """Fork the generators of the CPU and of the network's devices, seed 0, no autocast."""
    devices = {tensor.device for tensor in (*model.parameters(), *model.buffers())}
    indices = sorted({d.index or 0 for d in devices if d.type == "cuda"})
    stack.enter_context(torch.random.fork_rng(devices=indices))
    # torch.manual_seed would also seed the GPUs that are not ours and not forked.
    torch.default_generator.manual_seed(0)
    for index in indices:
        torch.cuda.default_generators[index].manual_seed(0)
    for kind in sorted({d.type for d in devices if torch.amp.is_autocast_available(d.type)}):
        stack.enter_context(torch.autocast(kind, enabled=False))


@contextmanager
def differentiable(tensors: Iterable[Tensor]) -> Generator[None, None, None]:
    """Record gradients with respect to these tensors, even if they are frozen.

    Works under `torch.no_grad()` too. Their `requires_grad` is put back afterwards.
    """
    before = [(tensor, tensor.requires_grad) for tensor in tensors]
    try:
        with torch.enable_grad():
            for tensor, _ in before:
                tensor.requires_grad_(True)
            yield
    finally:
        for tensor, requires_grad in before:
            tensor.requires_grad_(requires_grad)


@contextmanager
def plain_attention() -> Generator[None, None, None]:
    """Compute attention by matrix products and a softmax instead of a fused kernel.

    Counters of operations see into some of the fused kernels but not into others.
    """
    with sdpa_kernel(SDPBackend.MATH):
        yield


@contextmanager
def twice_differentiable() -> Generator[None, None, None]:
    """Write operations that torch can differentiate only once in terms of others.

    These are fused attention and the hard sigmoid, the gate of MobileNet v3 and its kin.
    """
    with plain_attention(), _HardSigmoidByRelu6():
        yield


class _HardSigmoidByRelu6(TorchFunctionMode):
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever torch returns
        kwargs = kwargs or {}
        if func is F.hardsigmoid:
            return F.relu6((args[0] if args else kwargs["input"]) + 3) / 6
        return func(*args, **kwargs)


def weight_tensors(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Weights of all convolutions and linear layers, subclasses included, by dotted name.

    No biases, no scales of norms, no position tables, as in the published scores. A tensor
    that is shared by layers appears once, under its first name. Weights that are not a
    `Parameter` of such a layer (computed ones, or arguments of an einsum) are not seen.
    """
    found: dict[int, tuple[str, nn.Parameter]] = {}
    for name, module in model.named_modules():
        if isinstance(module, LINEAR_MAPS) and isinstance(module.weight, nn.Parameter):
            found.setdefault(id(module.weight), (f"{name}.weight".lstrip("."), module.weight))
    return list(found.values())
