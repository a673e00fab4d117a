"""GradSign in bfloat16 against float32: does it rank networks alike, and is it faster here?

The 61 architectures of the fashion zoo, initialised with seed 0, 16 fashion images, both through
`sign_agreement`. The difference is Spearman's ρ of the two values over the networks, and the
largest relative difference. A processor without bfloat16 products emulates them, many times slower.
Usage: python benchmarks/gradsign_bf16.py [N_NETWORKS]
"""

import sys
import time

import numpy as np
import torch
from _timing import machine

from zoo_eval.correlation import spearman_rho
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.batches import ModelImages, balanced_places
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.manifest import Manifest
from zoo_eval.models.build import build_model
from zoo_eval.models.determinism import switch_off_dropout
from zoo_eval.quantities.batch_norm import calibrate_batch_norm
from zoo_eval.quantities.gradient_signs import sign_agreement

CPU = torch.device("cpu")


def main() -> None:
    """Print one line of the table."""
    lines = Manifest.load("fashion").lines[: int(sys.argv[1]) if len(sys.argv) > 1 else None]
    dataset = load_dataset(DatasetSpec("fashion", images_per_class=10))
    places = balanced_places(dataset.labels, 16, 0)
    labels = torch.tensor([dataset.labels[place] for place in places])
    values, seconds = np.empty((2, len(lines))), [0.0, 0.0]
    for column, line in enumerate(lines):
        model = build_model(line, "init-neutral", 0)
        switch_off_dropout(model)
        images = ModelImages(dataset, preprocessing_of(line), 1, CPU).take(places)
        calibrate_batch_norm(model, images)
        for row, precision in enumerate(("fp32", "bf16")):
            start = time.process_time()
            found = sign_agreement(model, images, labels, "eval", precision)
            seconds[row] += time.process_time() - start
            values[row, column] = found.agreement
    rho = spearman_rho(*values)
    largest = np.abs(values[1] / values[0] - 1).max()
    print(
        f"| GradSign in bf16, {len(lines)} networks, 16 images | ours in fp32: "
        f"({seconds[0]:.1f}) s | ({seconds[1]:.1f}) s | ({seconds[0] / seconds[1]:.2f}) "
        f"| ρ = {rho:.5f}, {largest:.1%} | {machine()} |"
    )


if __name__ == "__main__":
    main()
