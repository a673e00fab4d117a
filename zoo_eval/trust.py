"""The trust gate: does the network do on this dataset what was published of it?

Wrong weights, or right weights with wrong preprocessing, give scores like any other and would
spoil a ranking silently. Where the network's classes are the dataset's, its accuracy on the
dataset is measured and compared with the published one.
"""

import numpy as np
from scipy.stats import binomtest

from zoo_eval.datasets import Dataset
from zoo_eval.datasets.label_spaces import head_classes, head_labels
from zoo_eval.manifest import ModelLine
from zoo_eval.store import Trust

# Hundreds of honest models pass the gate in one run; at 0.95 one in twenty would be flagged.
CONFIDENCE = 0.999
_BENCHMARK = {"imagenet-1k": ("imagenet", "top1"), "fashion-mnist": ("fashion", "top1")}


def trust_gate(line: ModelLine, dataset: Dataset, logits: np.ndarray) -> Trust | None:
    """Measured against published top-1 accuracy; None if the two cannot be compared.

    They can if the head knows exactly the dataset's classes (on a part of the classes, accuracy
    is another quantity), the images are whole, and an accuracy is published.

    The interval is Clopper–Pearson's at 99.9 %: exact for n independent images.
    """
    labels = head_labels(line.label_space, dataset)
    outputs = head_classes(line.label_space)
    published = line.accuracies().get(_BENCHMARK.get(line.label_space, ("", "")))
    if labels is None or outputs is None or published is None or dataset.cropped:
        return None
    if len(outputs) != len(dataset.classes):
        return None
    right = logits.argmax(axis=1) == labels
    test = binomtest(int(right.sum()), len(right))
    interval = test.proportion_ci(confidence_level=CONFIDENCE, method="exact")
    return Trust(
        model=line.model,
        dataset=dataset.label,
        measured=float(right.mean()),
        published=published,
        n_images=len(right),
        low=float(interval.low),
        high=float(interval.high),
    )
