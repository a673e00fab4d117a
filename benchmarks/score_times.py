"""What each score costs on four networks, as a share of one forward and backward pass.

ResNet-50, ViT-S/16, ConvNeXt-T and MobileNetV3-L, freshly initialised, at 224 px. Scores of the
network take 64 probe images; one forward and backward pass of these 64 images is the unit.
Scores of embeddings take 1,000 of the network's width, drawn around 10 class means, and logits of
1,000 classes; the forward pass that would give them is not counted, as all of them share it. A
score's time includes the quantities that it needs, also where other scores share them. Times are
processor time of one thread, which other work on the machine does not change.

Usage: OMP_NUM_THREADS=1 python benchmarks/score_times.py [OUT [MODEL …]]
       (default: reports/score-times and all four)
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

from zoo_eval.datasets import load_dataset
from zoo_eval.datasets.batches import ModelImages, balanced_places
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.models.build import build_model
from zoo_eval.models.determinism import switch_off_dropout
from zoo_eval.quantities import Resolver
from zoo_eval.quantities.batch_norm import calibrate_batch_norm
from zoo_eval.quantities.gradients import loss_gradients
from zoo_eval.scores import SCORES

MODELS = {
    "ResNet-50": "resnet50.a1_in1k",
    "ViT-S/16": "vit_small_patch16_224.augreg_in21k_ft_in1k",
    "ConvNeXt-T": "convnext_tiny.fb_in1k",
    "MobileNetV3-L": "mobilenetv3_large_100.ra_in1k",
}
N_PROBE = 64
UNIT = "forward and backward"
# What those of robustness cost is their number of passes over the dataset.
TIMED = {name: score for name, score in SCORES.items() if score.group != "robustness"}
N_EMBEDDINGS = 1000


def main() -> None:
    """Time every score on every network and write the table."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "reports/score-times")
    out.mkdir(parents=True, exist_ok=True)
    lines = {line.model: line for line in Manifest.load("timm-imagenet")}
    time.perf_counter = time.process_time  # what zoo_eval itself times scores with
    for title in sys.argv[2:] or MODELS:
        seconds = time_all(lines[MODELS[title]])
        seconds.to_csv(out / f"{title.replace('/', '-')}.csv", float_format="%.4g")
        print(f"{title}: forward and backward {seconds[UNIT]:.2f} s", flush=True)
    write(out)


def time_all(line: ModelLine) -> pd.Series:
    """Seconds of the unit and of each score, NaN where the score is undefined."""
    dataset = load_dataset(DatasetSpec("fashion", images_per_class=N_PROBE // 10 + 1))
    model = build_model(line, "init-neutral", 0)
    switch_off_dropout(model)
    size = preprocessing_of(line).image_size
    images = ModelImages(dataset, preprocessing_of(line), N_PROBE, torch.device("cpu"))
    places = balanced_places(dataset.labels, N_PROBE, 0)
    probe = images.take(places)
    labels = torch.tensor([dataset.labels[place] for place in places])
    calibrate_batch_norm(model, probe)
    seconds = {UNIT: median_seconds(lambda: loss_gradients(model, probe, labels, "eval"))}
    givens = {
        "model": model,
        "input_shape": (3, size, size),
        "probe_images": probe,
        "probe_labels": labels,
        **embedded(int(model.num_features)),
    }
    resolver = Resolver(givens, [score.needs for score in TIMED.values()])
    for name, score in sorted(TIMED.items()):
        try:
            seconds[name] = score.measure(resolver, score.with_defaults({})).seconds
        except ScoreUndefinedError as reason:
            print(f"  {name}: {reason}", flush=True)
            seconds[name] = np.nan
    return pd.Series(seconds, name="seconds")


def embedded(width: int) -> dict[str, np.ndarray]:
    """Embeddings, logits, labels and pixels of as many images."""
    generator = np.random.default_rng(0)
    labels = np.arange(N_EMBEDDINGS) % 10
    means = generator.normal(size=(10, width))
    noise = generator.normal(size=(N_EMBEDDINGS, width))
    return {
        "embeddings": (means[labels] + noise).astype(np.float32),
        "logits": generator.normal(size=(N_EMBEDDINGS, 1000)).astype(np.float32),
        "labels": labels,
        "pixels": generator.normal(size=(N_EMBEDDINGS, 64 * 64)).astype(np.float32),
    }


def median_seconds(function: Callable[[], object], repeats: int = 3) -> float:
    """Median time of a few calls."""
    spent: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def write(out: Path) -> None:
    """`README.md`: shares of the unit, from the files of the networks that were timed."""
    files = {title: out / f"{title.replace('/', '-')}.csv" for title in MODELS}
    timed = {t: pd.read_csv(f, index_col=0)["seconds"] for t, f in files.items() if f.exists()}
    head = " | ".join(f"{title} ({seconds[UNIT]:.1f} s)" for title, seconds in timed.items())
    order = sorted(TIMED.values(), key=lambda score: (score.group, score.name))
    rows = [
        f"| `{score.name}` | {score.group} | "
        + " | ".join(_share(seconds[score.name], seconds[UNIT]) for seconds in timed.values())
        + " |"
        for score in order
    ]
    (out / "README.md").write_text(
        f"# Cost of each score\n\n{' '.join((__doc__ or '').split('Usage')[0].split())}\n\n"
        f"{platform.machine()}, torch {torch.__version__}; one run of each score, median of three "
        "for the unit, which stands in brackets. Made by `python benchmarks/score_times.py`; "
        "seconds: the CSV files.\n\n"
        f"| score | group | {head} |\n|---|---|{'---|' * len(timed)}\n" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )


def _share(seconds: float, unit: float) -> str:
    if np.isnan(seconds):
        return "undefined"
    share = seconds / unit
    return f"{share:.2f}" if share >= 0.005 else "< 0.005"


if __name__ == "__main__":
    main()
