"""`zoo-eval rank` on scikit-learn's digits as images, with networks that never saw a digit.

Zoos: the fashion zoo, three ImageNet networks (extra `imagenet-lite`), and both together. The 1,797
images are split once: of 80 of each class the race and its rivals get 10 or 50, twenty draws each;
the others give the truth, the accuracy of a logistic regression on standardised embeddings, by
five-fold cross-validation. Goes on where it stopped.
Usage: python benchmarks/rank_digits.py WORK [OUT] (default: reports/rank/digits)
"""

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from _rank_gather import gather
from _rank_proof import lines_of
from _rank_zoo import embeddings_of
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zoo_eval.datasets import DatasetSpec
from zoo_eval.manifest import Manifest

SEEDS, PER_CLASS, POOL = 20, (10, 50), 80
# What stands for the published accuracy in each manifest.
PUBLISHED = {"fashion": "fashion_top1", "imagenet-lite": "imagenet_top1"}


def main() -> None:
    """Compute what is missing, one file per draw; then gather."""
    work = Path(sys.argv[1])
    out = Path(sys.argv[2] if len(sys.argv) > 2 else "reports/rank/digits")
    spec = DatasetSpec(str(_images(work)))
    embeddings: dict[str, np.ndarray] = {}
    macs, published, zoos = {}, {}, {}
    for name, column in PUBLISHED.items():
        manifest = Manifest.load(name)
        found, labels = embeddings_of(manifest, spec, work)
        embeddings |= found
        lines = [line for line in manifest if line.model in found]
        macs |= {line.model: float(line.cells["macs"]) for line in lines}
        published |= {line.model: float(line.cells[column]) for line in lines}
        zoos[name] = sorted(found)
    zoos["both"] = sorted(embeddings)
    pool, rest = _split(labels)
    truth = _truth({m: array[rest] for m, array in embeddings.items()}, labels[rest], work)
    for zoo, models in zoos.items():
        some = {model: embeddings[model][pool] for model in models}
        for per_class in PER_CLASS:
            for seed in range(SEEDS):
                name = f"digits-{zoo}-{per_class}-{seed}"
                if (work / f"{name}.said.csv").exists():
                    continue
                found, said = lines_of(
                    *(some, labels[pool], {m: truth[m] for m in models}, macs, per_class, seed),
                    {m: published[m] for m in models} if zoo in PUBLISHED else None,
                )
                pd.DataFrame(found).assign(zoo=zoo).to_csv(work / f"{name}.csv", index=False)
                pd.DataFrame(said).assign(zoo=zoo).to_csv(work / f"{name}.said.csv", index=False)
                print(name, flush=True)
    gather(work, "digits", out)


def _images(work: Path) -> Path:
    """The digits as a Parquet file of PNG images, 8 × 8 in grey."""
    path = work / "digits.parquet"
    if not path.exists():
        digits = load_digits()
        cells = []
        for pixels in digits.images:
            buffer = io.BytesIO()
            Image.fromarray(np.round(pixels * (255 / 16)).astype(np.uint8)).save(buffer, "PNG")
            cells.append(buffer.getvalue())
        pd.DataFrame({"image": cells, "label": digits.target}).to_parquet(path)
    return path


def _split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the pool and of the rest."""
    generator = np.random.default_rng(0)
    pool = np.sort(
        np.concatenate(
            [generator.permutation(np.flatnonzero(labels == c))[:POOL] for c in np.unique(labels)]
        )
    )
    return pool, np.setdiff1d(np.arange(len(labels)), pool)


def _truth(
    embeddings: Mapping[str, np.ndarray], labels: np.ndarray, work: Path
) -> dict[str, float]:
    """Accuracy of a linear probe on the rest."""
    path = work / "digits-truth.json"
    truth: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    for model in sorted(embeddings.keys() - truth.keys()):
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        found = cross_val_score(probe, embeddings[model].astype(np.float64), labels, cv=folds)
        truth[model] = float(found.mean())
        path.write_text(json.dumps(truth, indent=1))
    return truth


if __name__ == "__main__":
    main()
