"""Embeddings and logits of a folder of photographs: ours against timm's loader and a plain loop.

Six networks of timm, freshly initialised (seed 0), and JPEGs of 500 × 375 pixels: smooth noise,
seed 0. The baseline is what timm's documentation shows: `ImageDataset`, `create_loader`,
`model.eval()`, `torch.no_grad()`, float32, batches of 64. Ours goes the way of a run: images
decoded and resized once (before the time is taken, as for any network of a zoo but the first),
channels last, no gradients, memory kept from layer to layer, the batch size of this machine's
calibration; float32, and bfloat16 where the calibration finds it faster. Each way has a process of
its own. The last columns: the smallest cosine between the embeddings of an image, and the share of
the speed of products of 2,048 × 2,048 matrices in the same precision.
Usage: python benchmarks/embeddings.py [N_IMAGES [MODEL …]]
"""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from _photographs import write_photographs
from _timing import Timed, machine

from zoo_eval.calibration import batch_size, bf16_speedup, working_set
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.batches import ModelImages
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.executors.memory import keep_freed
from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.models.build import build_model
from zoo_eval.quantities import Precision
from zoo_eval.quantities.forward import embed, forward_pass
from zoo_eval.quantities.resources import resources
from zoo_eval.settings import precision_for

MODELS = (
    "resnet50.a1_in1k",
    "vit_small_patch16_224.augreg_in21k_ft_in1k",
    "convnext_tiny.fb_in1k",
    "mobilenetv3_large_100.ra_in1k",
    "swin_tiny_patch4_window7_224.ms_in1k",
    "efficientnet_b0.ra_in1k",
)
CPU = torch.device("cpu")
Result = TypeVar("Result")


def main() -> None:
    """Print one line of the table per network, and their median."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    lines = {line.model: line for line in Manifest.load("timm-imagenet")}
    ratios: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZOO_EVAL_CACHE"] = f"{folder}/cache"
        photographs = write_photographs(Path(folder) / "images", n)
        fits, precision = apart(calibrated)
        peak = matrix_rate(precision)
        for name in sys.argv[2:] or MODELS:
            line = lines[name]
            baseline, expected = apart(timm_loop, line, photographs)
            ours, found, size = apart(our_way, line, photographs, fits, precision)
            ratios.append(baseline.processor / ours.processor)
            macs = resources(build_model(line, "init", 0), (3, 224, 224)).macs
            print(
                f"| embeddings, {line.architecture}, {n} images | "
                f"{n / baseline.wall:.1f} ({n / baseline.processor:.1f}) images/s | "
                f"{n / ours.wall:.1f} ({n / ours.processor:.1f}), {precision}, batches of {size} | "
                f"{baseline.wall / ours.wall:.2f} ({ratios[-1]:.2f}) | "
                f"cosine ≥ {smallest_cosine(expected, found):.7f}; "
                f"{2 * macs * n / ours.wall / peak:.0%} of {peak / 1e9:.0f} GFLOP/s | "
                f"{machine()} |",
                flush=True,
            )
    print(f"| embeddings, median | – | – | ({statistics.median(ratios):.2f}) | – | {machine()} |")


def apart(way: Callable[..., Result], *arguments: object) -> Result:
    """In a process of its own: how memory is kept is a setting of the process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(way, arguments)


def calibrated() -> tuple[float, Precision]:
    """What fits, and the precision, as a worker of this machine finds them."""
    keep_freed()
    threads = torch.get_num_threads()
    precision = precision_for(bf16_speedup(CPU, threads))
    return working_set(CPU, threads, precision), precision


def timm_loop(line: ModelLine, photographs: Path) -> tuple[Timed, np.ndarray]:
    """Time and embeddings of timm's way."""
    model = build_model(line, "init", 0)
    from timm.data.dataset import ImageDataset
    from timm.data.loader import create_loader

    preprocessing = preprocessing_of(line)
    loader = create_loader(
        ImageDataset(str(photographs)),
        input_size=(3, preprocessing.image_size, preprocessing.image_size),
        batch_size=64,
        use_prefetcher=False,
        interpolation=preprocessing.interpolation,
        mean=preprocessing.mean,
        std=preprocessing.std,
        crop_pct=preprocessing.crop,
        num_workers=0,
        device=CPU,
    )
    found: list[torch.Tensor] = []
    wall, processor = time.perf_counter(), time.process_time()
    with torch.no_grad():
        found.extend(embed(model, images)[0] for images, _ in loader)
    timed = Timed(time.perf_counter() - wall, time.process_time() - processor, 0.0)
    return timed, torch.cat(found).numpy()


def our_way(
    line: ModelLine, photographs: Path, fits: float, precision: Precision
) -> tuple[Timed, np.ndarray, int]:
    """Time and embeddings of ours, and the batch size."""
    keep_freed()
    dataset = load_dataset(DatasetSpec(str(photographs)))
    model = build_model(line, "init", 0)
    model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    preprocessing = preprocessing_of(line)
    first = next(iter(ModelImages(dataset, preprocessing, 1, CPU)))  # resizes all
    wall, processor = time.perf_counter(), time.process_time()
    size = batch_size(fits, model, first)
    found = forward_pass(model, ModelImages(dataset, preprocessing, size, CPU, precision))
    timed = Timed(time.perf_counter() - wall, time.process_time() - processor, 0.0)
    return timed, found.embeddings, size


def smallest_cosine(x: np.ndarray, y: np.ndarray) -> float:
    """Over the images, in float64."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    return float((np.einsum("ij,ij->i", x, y) / norms).min())


def matrix_rate(precision: Precision) -> float:
    """Operations per second of matrix products; the median of five."""
    a = torch.randn(2048, 2048, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
    seconds: list[float] = []
    for _ in range(6):
        start = time.perf_counter()
        torch.mm(a, a)
        seconds.append(time.perf_counter() - start)
    return 2 * 2048**3 / statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
