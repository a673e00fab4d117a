"""Train the small Fashion-MNIST zoo and write its manifest.

    python manifests/fashion/train.py [--workers 2] [--only NAME]

Trains what is missing (a network is finished when its weights and a record of its current recipe
exist), then writes `manifest.csv` and `spread.png`.  Every network is trained by one process with
one thread from its own seed.  The stated accuracy is that of the stored half-precision weights,
loaded back and run in single precision on all 10,000 test images.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from fitting import MEAN, STD, WORK, evaluate, family, fit, load_split, measure, registered_by
from recipes import NETWORKS, Network
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE / "weights"
# fmt: off
COLUMNS = [
    "model", "family", "arguments", "label_space", "params", "macs", "activations", "image_size",
    "crop", "interpolation", "mean", "std", "pretraining", "distilled", "licence", "weights_file",
    "weights_sha256", "fashion_top1", "epochs", "data_fraction", "label_noise", "seed", "seconds",
    "sibling", "registered_by", "source",
]
# fmt: on


def train(net: Network) -> dict[str, Any]:
    """Train, round, store and evaluate one network; the record is written last."""
    torch.set_num_threads(1)
    start = time.process_time()
    model = fit(net)
    seconds = time.process_time() - start
    state = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in model.state_dict().items()
    }
    if not all(bool(value.isfinite().all()) for value in state.values()):
        raise ValueError(f"{net.name}: weights do not fit half precision")
    path = WEIGHTS / f"{net.name}.safetensors"
    partial = WORK / f"{net.name}.partial"
    save_file(state, partial)
    partial.replace(path)
    record = {
        "recipe": asdict(net),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "top1": evaluate(net, path),
        "seconds": round(seconds, 1),
    }
    partial.write_text(json.dumps(record, indent=1))
    partial.replace(WORK / f"{net.name}.json")
    return record


def finished(net: Network) -> dict[str, Any] | None:
    """The record of a network already trained with this very recipe."""
    path = WORK / f"{net.name}.json"
    if not path.exists() or not (WEIGHTS / f"{net.name}.safetensors").exists():
        return None
    record = json.loads(path.read_text())
    return record if record["recipe"] == json.loads(json.dumps(asdict(net))) else None


def manifest_row(net: Network, record: dict[str, Any]) -> dict[str, Any]:
    """One line of the manifest, in the order of COLUMNS."""
    file, size = f"weights/{net.name}.safetensors", measure(net)
    mean, std = json.dumps([MEAN] * 3), json.dumps([STD] * 3)
    # fmt: off
    values = [
        net.name, family(net), json.dumps(net.arguments), "fashion-mnist", size["params"],
        size["macs"], size["activations"], net.image_size, 1.0, "bicubic", mean, std,
        "fashion-mnist", "false", "Apache-2.0", file, record["sha256"], f"{record['top1']:.4f}",
        net.epochs, net.data_fraction, net.label_noise, net.seed, record["seconds"], sibling(net),
        registered_by(net), "trained by manifests/fashion/train.py",
    ]
    # fmt: on
    return dict(zip(COLUMNS, values, strict=True))


def sibling(net: Network) -> str:
    """The next network, round about, with the same tensors; empty if there is none."""
    alike = sorted(
        other.name
        for other in NETWORKS
        if (other.name.partition(".")[0], other.arguments, other.image_size)
        == (net.name.partition(".")[0], net.arguments, net.image_size)
    )
    found = alike[(alike.index(net.name) + 1) % len(alike)]
    return "" if found == net.name else found


def write_manifest(rows: list[dict[str, Any]]) -> None:
    """Write manifest.csv, sorted by family and name."""
    partial = WORK / "manifest.partial"
    with partial.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(row.values() for row in rows)
    partial.replace(HERE / "manifest.csv")


def draw(rows: list[dict[str, Any]]) -> None:
    """Accuracy against parameters, one colour and marker per family."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8.6, 4.9), dpi=90)
    for i, name in enumerate(sorted({row["family"] for row in rows})):
        mine = [row for row in rows if row["family"] == name]
        axes.scatter(
            [row["params"] for row in mine],
            [float(row["fashion_top1"]) for row in mine],
            s=28, color=f"C{i % 10}", marker="osD^vPX<>*"[(i // 10 + i) % 10], label=name,
        )  # fmt: skip
    axes.set(xscale="log", xlabel="parameters", ylabel="Fashion-MNIST top-1 (10,000 test images)")
    axes.set_xticks([30e3, 50e3, 100e3, 200e3, 500e3], ["30k", "50k", "100k", "200k", "500k"])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, labelspacing=0.25, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    figure.savefig(HERE / "spread.png", metadata={"Software": None})
    plt.close(figure)


def main() -> int:
    """Train what is missing, then write the manifest and the picture."""
    parser = argparse.ArgumentParser(description="Train the Fashion-MNIST zoo.")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--only", metavar="NAME", help="train this network alone")
    options = parser.parse_args()
    if len({net.name for net in NETWORKS}) != len(NETWORKS):
        parser.error("two networks of recipes.py share a name")
    WORK.mkdir(exist_ok=True)
    WEIGHTS.mkdir(exist_ok=True)
    for size in {net.image_size for net in NETWORKS}:
        for split in ("train", "test"):
            load_split(split, size)
    todo = [net for net in NETWORKS if not finished(net) and options.only in (None, net.name)]
    todo.sort(key=lambda net: -net.epochs * net.data_fraction)  # the long ones first
    failed = 0
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(train, net): net for net in todo}
        for job in as_completed(jobs):
            name = jobs[job].name
            try:
                record = job.result()
                print(f"{name:45s} {record['top1']:.4f}  {record['seconds']:6.1f} s", flush=True)
            except Exception as error:  # one broken network must not stop the others
                failed += 1
                print(f"{name:45s} FAILED: {error!r}", flush=True)
    rows = [manifest_row(net, record) for net in NETWORKS if (record := finished(net))]
    rows.sort(key=lambda row: (row["family"], row["model"]))
    write_manifest(rows)
    draw(rows)
    print(f"{len(rows)} of {len(NETWORKS)} networks in the manifest")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
