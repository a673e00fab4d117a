"""GradSign of 32 images at 224 px against a loop that stacks the images' gradients.

Six networks of timm, freshly initialised from seed 0; images are random numbers from seed 1, and
labels are 0, 1, … in turn over 1,000 classes. The baseline is what one writes after the paper: each
image passes forward and backward alone, its gradients of all weights of convolutions and linear
layers become one row, and the stacked rows are signed and summed. It is written below. Ours is
measured in float32, the default, and in bfloat16, which a job may ask for; `gradsign_bf16.py` says
whether that ranks networks alike. Each way and network has a process of its own; ways take turns.
The memory is the growth of the process's peak while the way runs. Seconds in brackets are of the
processor. GradSign sums signs, so rounding changes it where a gradient is almost zero: the last
column is relative to the baseline's value.

Usage: python benchmarks/gradsign.py [--images 32] [--repeats 1] [NETWORK ...]
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from _timing import machine
from torch import Tensor, nn

from zoo_eval.executors.memory import keep_freed
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities import Precision
from zoo_eval.quantities.gradient_signs import gradient_signs

NETWORKS = (
    "resnet50",
    "vit_small_patch16_224",
    "convnext_tiny",
    "mobilenetv3_large_100",
    "swin_tiny_patch4_window7_224",
    "efficientnet_b0",
)


class Measured(NamedTuple):
    """Seconds by the clock and of the processor, growth of the peak memory in MB, the value."""

    wall: float
    processor: float
    megabytes: float
    value: float


def main() -> None:
    """Print one line of the table per network, and the median of the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=1)
    asked = parser.parse_args()
    ratios: dict[Precision, list[tuple[float, float]]] = {"fp32": [], "bf16": []}
    for name in asked.networks:
        runs: dict[str, list[Measured]] = {"stack": [], **{precision: [] for precision in ratios}}
        for _ in range(asked.repeats):
            for way, measured in runs.items():
                measured.append(in_own_process(name, way, asked.images))
        found = {way: middle(measured) for way, measured in runs.items()}
        stack = found["stack"]
        for precision, of_precision in ratios.items():
            ours = found[precision]
            of_precision.append((stack.wall / ours.wall, stack.processor / ours.processor))
            print(
                f"| GradSign in {precision}, {name}, {asked.images} images "
                f"| {stack.wall:.1f} s ({stack.processor:.1f}), {stack.megabytes:,.0f} MB "
                f"| {ours.wall:.1f} s ({ours.processor:.1f}), {ours.megabytes:,.0f} MB "
                f"| {of_precision[-1][0]:.2f} ({of_precision[-1][1]:.2f}) "
                f"| {ours.value / stack.value - 1:+.1e} of {stack.value:.0f} | {machine()} |",
                flush=True,
            )
    for precision, of_precision in ratios.items():
        wall, processor = map(statistics.median, zip(*of_precision, strict=True))
        print(f"| GradSign in {precision}, median | – | – | {wall:.2f} ({processor:.2f}) | – | – |")


def middle(measured: Sequence[Measured]) -> Measured:
    """The median of each."""
    return Measured(*map(statistics.median, zip(*measured, strict=True)))


def in_own_process(name: str, way: str, n_images: int) -> Measured:
    """Measure a way in a fresh process, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (name, way, n_images))


def measure(name: str, way: Literal["stack", "fp32", "bf16"], n_images: int) -> Measured:
    """Build the network and the images, warm up on two of them, then measure."""
    if way != "stack":
        keep_freed()  # as every worker does
    ensure_torchvision()
    import timm

    torch.manual_seed(0)
    model = timm.create_model(name).eval()
    images = torch.randn(n_images, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(n_images) % 1000
    with torch.no_grad():
        model(images[:2])
    before = peak_megabytes()
    wall, processor = time.perf_counter(), time.process_time()
    if way == "stack":
        value = stack_and_sign(model, images, labels)
    else:
        value = gradient_signs(model, images, labels, way).agreement
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return Measured(wall, processor, peak_megabytes() - before, value)


def stack_and_sign(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """GradSign as the paper's Algorithm 1 reads."""
    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    rows: list[Tensor] = []
    for image, label in zip(images.split(1), labels.split(1), strict=True):
        model.zero_grad()
        F.cross_entropy(model(image), label).backward()
        rows.append(
            torch.cat(
                [layer.weight.grad.flatten() for layer in layers if layer.weight.grad is not None]
            )
        )
    return float(torch.stack(rows).sign().sum(dim=0).abs().sum(dtype=torch.float64))


def peak_megabytes() -> float:
    """The largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
