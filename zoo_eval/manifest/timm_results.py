"""Builds the ImageNet manifest from the result tables that timm publishes."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from zoo_eval.errors import ManifestError
from zoo_eval.manifest.timm_check import check_lines
from zoo_eval.manifest.timm_facts import distilled, pretraining
from zoo_eval.manifest.timm_siblings import name_siblings
from zoo_eval.manifest.timm_tables import COMMIT, TableRow, read_table

SOURCE = f"timm results@{COMMIT[:8]}"

# Prefix of our columns → file. The first one says which models there are.
_ACCURACY_FILES = {
    "imagenet": "results-imagenet.csv",
    "real": "results-imagenet-real.csv",
    "v2": "results-imagenetv2-matched-frequency.csv",
    "sketch": "results-sketch.csv",
    "a": "results-imagenet-a.csv",
    "r": "results-imagenet-r.csv",
}
_ACCURACY_COLUMNS = tuple(f"{name}_{top}" for name in _ACCURACY_FILES for top in ("top1", "top5"))
_SPEED_FILE = "benchmark-infer-amp-nchw-pt291-cu130-5090.csv"

COLUMNS = (
    *("model", "family", "arguments", "label_space", "params", "macs", "activations"),
    *("image_size", "crop", "interpolation", "mean", "std"),
    *("pretraining", "distilled", "licence", "weights_file", "weights_sha256", "sibling"),
    *_ACCURACY_COLUMNS,
    *("images_per_second_rtx5090", "source"),
)


def build_timm_manifest(folder: Path) -> str:
    """The text of `timm-imagenet.csv`: one line per model and image size that timm evaluated.

    The same folder and the same timm give the same bytes: lines are sorted by model, and
    figures are copied as decimals.

    Args:
        folder: timm's folder `results/`, or a copy of the seven files that are read.

    Returns:
        CSV with the columns that `manifests/README.md` describes. A cell is empty where timm
        publishes nothing for that model at that image size.

    Raises:
        ManifestError: a file or a column is missing, a figure is malformed, a model is unknown
            to the installed timm, or the words of a tag to the rules for the pretraining data.
    """
    model_columns = ("param_count", "crop_pct", "interpolation", "top1", "top5")
    rows = read_table(folder, _ACCURACY_FILES["imagenet"], "img_size", model_columns)
    accuracies = {
        name: read_table(folder, file, "img_size", ("top1", "top5"))
        for name, file in _ACCURACY_FILES.items()
    }
    speed_columns = ("infer_samples_per_sec", "infer_gmacs", "infer_macts")
    speed = read_table(folder, _SPEED_FILE, "infer_img_size", speed_columns)
    if unknown := check_lines(dict.fromkeys(model for model, _ in rows)):
        raise ManifestError(
            f"timm must know every model of {folder}, but there are {len(unknown)} that it does "
            f"not know, such as {unknown[0][0]}: {unknown[0][1]}. Install a newer timm."
        )
    lines = [
        _facts_of_name(model, image_size)
        | _facts_of_row(row)
        # timm measures speed and work per architecture: weights do not change them.
        | _facts_of_speed(speed.get((model.partition(".")[0], image_size)))
        | _facts_of_accuracy({name: t.get((model, image_size)) for name, t in accuracies.items()})
        for (model, image_size), row in rows.items()
    ]
    lines.sort(key=lambda line: line["model"])
    name_siblings(lines)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _facts_of_name(model: str, image_size: str) -> dict[str, str]:
    """What the name says, and the name itself: with the image size if that is not its own."""
    from timm.models import get_pretrained_cfg, model_entrypoint

    config = get_pretrained_cfg(model)
    own_size = config is None or image_size == str(config.input_size[-1])
    facts = {
        "model": model if own_size else f"{model}@{image_size}",
        "family": model_entrypoint(model).__module__.rpartition(".")[2],
        "label_space": "imagenet-1k",
        "pretraining": pretraining(model),
        "distilled": "true" if distilled(model) else "false",
        "source": SOURCE,
    }
    if config:
        facts["mean"] = json.dumps(config.mean)
        facts["std"] = json.dumps(config.std)
        if config.license and config.license != "unknown":
            facts["licence"] = config.license
    return facts


def _facts_of_row(row: TableRow) -> dict[str, str]:
    return {
        "params": row.count("param_count", 10**6),
        "image_size": row.cells["img_size"],
        "crop": f"{row.number('crop_pct'):.3f}",
        "interpolation": row.cells["interpolation"],
    }


def _facts_of_speed(row: TableRow | None) -> dict[str, str]:
    if row is None:
        return {}
    return {
        "macs": row.count("infer_gmacs", 10**9),
        "activations": row.count("infer_macts", 10**6),
        "images_per_second_rtx5090": f"{row.number('infer_samples_per_sec'):.2f}",
    }


def _facts_of_accuracy(rows: Mapping[str, TableRow | None]) -> dict[str, str]:
    return {
        f"{name}_{top}": row.fraction(top)
        for name, row in rows.items()
        if row is not None
        for top in ("top1", "top5")
    }
