"""`zoo-eval rank` on the fashion images and the fashion zoo, whose accuracies are known.

Truth: `fashion_top1` of the manifest, measured on the 10,000 test images. The race does not look
at it. Twenty draws each of 10, 50 and 200 images per class (of 200 there is one choice of images,
but twenty of which come first). Goes on where it stopped.
Usage: python benchmarks/rank_fashion.py WORK [OUT] (default: reports/rank/fashion)
"""

import sys
from pathlib import Path

import pandas as pd
from _rank_gather import gather
from _rank_proof import lines_of
from _rank_zoo import embeddings_of

from zoo_eval.datasets import DatasetSpec
from zoo_eval.manifest import Manifest

SEEDS, PER_CLASS = 20, (200, 50, 10)


def main() -> None:
    """Compute what is missing, one file per draw; then gather."""
    work = Path(sys.argv[1])
    out = Path(sys.argv[2] if len(sys.argv) > 2 else "reports/rank/fashion")
    manifest = Manifest.load("fashion")
    embeddings, labels = embeddings_of(manifest, DatasetSpec("fashion"), work)
    lines = {line.model: line for line in manifest}
    truth = {model: float(lines[model].cells["fashion_top1"]) for model in embeddings}
    macs = {model: float(lines[model].cells["macs"]) for model in embeddings}
    for per_class in PER_CLASS:
        for seed in range(SEEDS):
            name = f"fashion-{per_class}-{seed}"
            if (work / f"{name}.said.csv").exists():
                continue
            # Of all images there is one choice, and the others give the same for each seed.
            again = per_class == max(PER_CLASS) and seed > 0
            found, said = lines_of(
                embeddings, labels, truth, macs, per_class, seed, rivals_too=not again
            )
            pd.DataFrame(found).to_csv(work / f"{name}.csv", index=False)
            pd.DataFrame(said).to_csv(work / f"{name}.said.csv", index=False)
            print(name, {k: round(v, 4) for k, v in found[0].items() if k != "method"}, flush=True)
    gather(work, "fashion", out)


if __name__ == "__main__":
    main()
