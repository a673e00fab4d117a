"""Looking into a network without leaving a trace: mode, buffers, gradients, attention.

Every score that runs a module goes through `in_mode`. What it needs beyond that (gradients
of frozen weights, second derivatives of attention) it asks for here too, and gets back only
for as long as the `with` block lasts.
"""

from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

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

    Restored bit for bit, also after an exception: the training flag of every submodule (a
    caller may have frozen some), all buffers (running statistics, caches) and the state of
    the random generators. Within the block autocast is off and the generators start from
    seed 0, so that dropout in train mode is the same in every run.
    """
    modules = list(model.modules())
    flags = [module.training for module in modules]
    registers: list[dict[str, Tensor | None]] = [vars(module)["_buffers"] for module in modules]
    registered = [dict(register) for register in registers]
    values = [
        (buffer, buffer.detach().clone())
        for buffer in {id(b): b for r in registered for b in r.values() if b is not None}.values()
    ]
    try:
        with ExitStack() as stack:
            _seed_generators(model, stack)
            if mode == "train":
                model.train()
            else:
                model.eval()
            yield
    finally:
        for module, flag in zip(modules, flags, strict=True):
            module.training = flag
        for register, before in zip(registers, registered, strict=True):
            register.clear()
            register.update(before)
        with torch.no_grad():
            for buffer, value in values:
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


def plain_attention() -> AbstractContextManager[object]:
    """Compute attention by matrix products and a softmax instead of a fused kernel.

    The fused kernels have no second derivative, and counters of operations see into some
    of them but not into others.
    """
    return sdpa_kernel(SDPBackend.MATH)


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
