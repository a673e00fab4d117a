"""What suits this machine: how many images at a time, and which precision. Measured, not assumed.

*Batch size.* With few images, what is done once per batch and layer counts: starting it, and
bringing its weights into the order, and the precision, that the product wants. With too many, the
layers' outputs leave the processor's cache, and the memory's speed counts. In between a network is
equally fast, over a range that may span two batch sizes or seven. The upper end of that range
depends on bytes, so it is kept as the *working set*,

    bytes of all outputs of convolutions and linear layers for one image × images,

and every other network gets as many images as have the same working set. It is measured in the
precision in which networks will run: bfloat16 computes faster, and needs more images before what
is done once no longer counts.

*Precision.* bfloat16 halves the bytes, and some processors multiply it several times faster than
float32; others emulate it, many times slower. Two reference networks, one of convolutions and one
of attention, are timed in both.

Both take some seconds, once per machine and store.
"""

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities import Precision
from zoo_eval.quantities.forward import embed
from zoo_eval.quantities.precision import in_precision
from zoo_eval.quantities.resources import linear_outputs

CONVOLUTIONS, ATTENTION = "resnet18", "vit_tiny_patch16_224"
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_AS_FAST = 0.95  # of the fastest batch size: within what a timing repeats
_LONGEST = 0.3  # seconds of a pass: what is done once per batch is nothing beside it
_SECONDS = 0.1  # that a timing should last
_TIMINGS = 3  # of which the fastest counts, as other processes can only slow one down


def machine(device: torch.device, threads: int) -> str:
    """What a calibration depends on, in words."""
    if device.type == "cuda":
        processor = torch.cuda.get_device_name(device)
    else:
        capability = torch.backends.cpu.get_cpu_capability()
        processor = f"{_processor()}, {capability}, threads: {threads}"
    return f"{processor}, torch {torch.__version__}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown processor")


def working_set(device: torch.device, threads: int, precision: Precision) -> float:
    """Bytes of layers' outputs of the largest batch at which the reference network is fastest.

    Args:
        device: Where networks will run.
        threads: Threads that each will have; set for the whole process.
        precision: In which they will run. Bytes are counted as of float32 in both.
    """
    torch.set_num_threads(threads)
    network = _reference(CONVOLUTIONS, device)
    speeds: dict[int, float] = {}
    for n in _BATCHES:
        speeds[n] = _images_per_second(network, n, device, precision)
        if n / speeds[n] > _LONGEST:
            break
    best = max(n for n, speed in speeds.items() if speed >= _AS_FAST * max(speeds.values()))
    return 4.0 * best * _outputs(network, torch.zeros(1, 3, 224, 224, device=device))


def bf16_speedup(device: torch.device, threads: int) -> float:
    """Images per second in bfloat16 over those in float32, of the network that gains less."""
    torch.set_num_threads(threads)
    speedups: list[float] = []
    for name in (CONVOLUTIONS, ATTENTION):
        network = _reference(name, device)
        speeds = [_images_per_second(network, 8, device, p) for p in ("bf16", "fp32")]
        speedups.append(speeds[0] / speeds[1])
    return min(speedups)


def batch_size(working_set: float, model: nn.Module, image: Tensor) -> int:
    """Images of this network that have the working set together: a power of two, at least 1.

    Args:
        working_set: From a calibration, bytes.
        model: The network; it passes one image.
        image: An image for it, as a batch of one.
    """
    images = working_set / (4 * max(_outputs(model, image), 1))
    return next((n for n in reversed(_BATCHES) if n <= images), 1)


def _outputs(model: nn.Module, image: Tensor) -> int:
    with torch.inference_mode():
        return linear_outputs(model, image)


def _reference(name: str, device: torch.device) -> nn.Module:
    ensure_torchvision()
    import timm

    torch.manual_seed(0)
    model: Any = timm.create_model(name).eval().to(device)
    return model.to(memory_format=torch.channels_last)


def _images_per_second(
    model: nn.Module, n: int, device: torch.device, precision: Precision
) -> float:
    """Of the fastest timing, after one pass that does not count."""
    images = torch.randn(n, 3, 224, 224, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), in_precision(precision, device):
        first = _seconds(model, images)
        if first > 10 * _SECONDS:  # emulated bfloat16: one pass says enough
            return n / first
        passes = max(1, round(_SECONDS / first))
        return n * passes / min(_seconds(model, images, passes) for _ in range(_TIMINGS))


def _seconds(model: nn.Module, images: Tensor, passes: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(passes):
        embed(model, images)
    if images.device.type == "cuda":
        torch.cuda.synchronize(images.device)
    return time.perf_counter() - start
