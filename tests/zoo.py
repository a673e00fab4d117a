"""A zoo of real, tiny networks on disk, for tests of the path from job to report."""

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save_file

from zoo_eval.manifest.lines import parse_line
from zoo_eval.models.build import build_model

ARCHITECTURES = ("test_resnet", "test_convnext", "test_efficientnet", "test_byobnet")
COLUMNS = (
    *("model", "family", "arguments", "label_space", "params", "macs", "activations"),
    *("image_size", "crop", "interpolation", "mean", "std", "weights_file", "weights_sha256"),
    *("fashion_top1", "source"),
)
SCORES = '["params", "dse", "logme", "knn_accuracy", "grad_norm"]'


def write_zoo(
    folder: Path,
    n_models: int = 4,
    architectures: Sequence[str] = ARCHITECTURES,
    image_size: int = 32,
) -> Path:
    """Write a manifest of n tiny networks with weights; returns the manifest's path."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for place in range(n_models):
        architecture = architectures[place % len(architectures)]
        name = f"{architecture}.s{place}"
        row = {
            "model": name,
            "family": architecture.removeprefix("test_"),
            "label_space": "fashion-mnist",
            "params": str(100_000 + place),
            "image_size": str(image_size),
            "crop": "1.0",
            "interpolation": "bicubic",
            "mean": "[0.286, 0.286, 0.286]",
            "std": "[0.353, 0.353, 0.353]",
            "fashion_top1": f"{0.1 + 0.01 * place:.2f}",
            "source": "made for a test",
        }
        file = folder / f"{name}.safetensors"
        network = build_model(parse_line(row, "here", folder), "init", place)
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, file)
        row["weights_file"] = file.name
        row["weights_sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
        rows.append(row)
    path = folder / "manifest.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_job(folder: Path, manifest: Path, extra: str = "", scores: str = SCORES) -> Path:
    """Write a job over a manifest; returns the job's path."""
    path = folder / "job.toml"
    path.write_text(
        f'manifest = "{manifest}"\nweights = ["pretrained", "init"]\nscores = {scores}\n{extra}\n'
        # Measuring what suits this machine would take some seconds for every store.
        "[evaluation]\nbatch_size = 64\n"
        '[dataset]\nsource = "fashion"\nimages_per_class = 6\n[probe]\nimages = 10\n'
    )
    return path
