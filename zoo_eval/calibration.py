"""What suits this machine: how many images at a time, and which precision. Measured, not assumed.

*Batch size.* Too few images leave the processor idle between layers; too many push the layers'
outputs out of its cache, and from then on the memory's speed counts. Both depend on bytes, not on
images. So the batch size at which one reference network is fastest is kept as its *working set*,

    bytes of all outputs of convolutions and linear layers for one image × images,

and every other network gets as many images as have the same working set.

*Precision.* bfloat16 halves the bytes, and some processors multiply it several times faster than
float32; others emulate it, many times slower. Two reference networks, one of convolutions and one
of attention, are timed in both.

Both take some seconds, once per machine and store.
"""

import statistics
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
_WORTHWHILE = 1.05  # a larger batch must be that much faster to be taken
_PATIENCE = 2  # sizes in a row that are no faster than a smaller one: larger ones will not be
_SECONDS = 0.15  # that a timing should last


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


def working_set(device: torch.device, threads: int) -> float:
    """Bytes of layers' outputs at which the reference network is fastest.

    Args:
        device: Where networks will run.
        threads: Threads that each will have; set for the whole process.
    """
    torch.set_num_threads(threads)
    network = _reference(CONVOLUTIONS, device)
    speeds: dict[int, float] = {}
    for n in _BATCHES:
        speeds[n] = _images_per_second(network, n, device, "fp32")
        if max(list(speeds.values())[-_PATIENCE:]) < max(speeds.values()):
            break
    best = min(n for n, speed in speeds.items() if speed * _WORTHWHILE >= max(speeds.values()))
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
    """Median of three timings, after one pass that does not count."""
    images = torch.randn(n, 3, 224, 224, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), in_precision(precision, device):
        first = _seconds(model, images)
        if first > 10 * _SECONDS:  # emulated bfloat16: one pass says enough
            return n / first
        passes = max(1, round(_SECONDS / first))
        return n * passes / statistics.median(_seconds(model, images, passes) for _ in range(3))


def _seconds(model: nn.Module, images: Tensor, passes: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(passes):
        embed(model, images)
    if images.device.type == "cuda":
        torch.cuda.synchronize(images.device)
    return time.perf_counter() - start
