"""What each score costs on four networks, as a share of one forward and backward pass.

ResNet-50, ViT-S/16, ConvNeXt-T and MobileNetV3-L, freshly initialised, at 224 px. Scores of the
network take 64 probe images; one forward and backward pass of these 64 images is the unit.
Scores of embeddings take those of 1,000 images with the labels of 10 classes; the forward pass
that gives the embeddings is not counted, as every one of them shares it. A score's time includes
the quantities that it needs, also where other scores share them.

Usage: python benchmarks/score_times.py [OUT]      (default: reports/score-times)
"""

import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from zoo_eval.datasets import ModelImages, load_dataset
from zoo_eval.datasets.batches import balanced_places
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.models.build import build_model
from zoo_eval.models.determinism import calibrate_batch_norm, switch_off_dropout
from zoo_eval.quantities import Resolver, closure
from zoo_eval.quantities.gradients import loss_gradients
from zoo_eval.scores import SCORES

MODELS = {
    "ResNet-50": "resnet50.a1_in1k",
    "ViT-S/16": "vit_small_patch16_224.augreg_in21k_ft_in1k",
    "ConvNeXt-T": "convnext_tiny.fb_in1k",
    "MobileNetV3-L": "mobilenetv3_large_100.ra_in1k",
}
N_PROBE = 64
IMAGES_PER_CLASS = 100
FROM_NETWORK = frozenset({"model", "probe_images", "probe_labels"})


def main() -> None:
    """Time every score on every network and write the table."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "reports/score-times")
    out.mkdir(parents=True, exist_ok=True)
    lines = {line.model: line for line in Manifest.load("timm-imagenet")}
    columns: dict[str, dict[str, float | None]] = {}
    unit: dict[str, float] = {}
    for title, name in MODELS.items():
        unit[title], columns[title] = time_all(lines[name])
        print(f"{title}: forward and backward {unit[title]:.2f} s", flush=True)
        write(out, unit, columns)


def time_all(line: ModelLine) -> tuple[float, dict[str, float | None]]:
    """Seconds of the unit, and of each score; None where the score is undefined."""
    dataset = load_dataset(DatasetSpec("fashion", images_per_class=IMAGES_PER_CLASS))
    model = build_model(line, "init-neutral", 0)
    switch_off_dropout(model)
    size = preprocessing_of(line).image_size
    images = ModelImages(dataset, preprocessing_of(line), 50, torch.device("cpu"))
    places = balanced_places(dataset.labels, N_PROBE, 0)
    probe = images.take(places)
    labels = torch.tensor([dataset.labels[place] for place in places])
    calibrate_batch_norm(model, probe)
    unit = median_seconds(lambda: loss_gradients(model, probe, labels, "eval"))
    givens = {
        "model": model,
        "input_shape": (3, size, size),
        "images": images,
        "labels": np.asarray(dataset.labels),
        "pixels": dataset.pixels(64),
        "probe_images": probe,
        "probe_labels": labels,
    }
    resolver = Resolver(givens, [score.needs for score in SCORES.values()])
    shared = resolver.seconds(["forward_pass"]) if resolver.get("forward_pass") else 0.0
    seconds: dict[str, float | None] = {}
    for name, score in sorted(SCORES.items()):
        try:
            spent = score.measure(resolver, score.with_defaults({})).seconds
        except ScoreUndefinedError:
            seconds[name] = None
            continue
        seconds[name] = spent - (shared if "forward_pass" in closure(score.needs) else 0.0)
        print(f"  {name}: {seconds[name]:.2f} s", flush=True)
    return unit, seconds


def median_seconds(function: Callable[[], object], repeats: int = 3) -> float:
    """Median wall time of a few calls."""
    spent: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def write(out: Path, unit: dict[str, float], columns: dict[str, dict[str, float | None]]) -> None:
    """`times.csv` in seconds, `README.md` as shares of the unit."""
    seconds = pd.DataFrame(columns)
    seconds.insert(0, "group", [SCORES[name].group for name in seconds.index])
    seconds.sort_values("group", kind="stable").to_csv(out / "times.csv", float_format="%.4g")
    head = " | ".join(f"{title} ({unit[title]:.1f} s)" for title in columns)
    rows = [
        f"| `{name}` | {row['group']} | "
        + " | ".join(_share(row[title], unit[title]) for title in columns)
        + " |"
        for name, row in seconds.sort_values("group", kind="stable").iterrows()
    ]
    (out / "README.md").write_text(
        f"# Cost of each score\n\n{' '.join((__doc__ or '').split('Usage')[0].split())}\n\n"
        f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}; one "
        "run of each score, median of three for the unit, which stands in brackets. Made by "
        "`python benchmarks/score_times.py`; seconds: `times.csv`.\n\n"
        f"| score | group | {head} |\n|---|---|{'---|' * len(columns)}\n" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )


def _share(seconds: float | None, unit: float) -> str:
    if seconds is None or np.isnan(seconds):
        return "undefined"
    share = seconds / unit
    return f"{share:.2f}" if share >= 0.005 else "< 0.005"


if __name__ == "__main__":
    main()
