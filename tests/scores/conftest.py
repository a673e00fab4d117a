"""Inputs and values of other programs; see tests/reference/README.md."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import settings

# Under the type-checking hook a call takes tens of milliseconds, on a busy machine many more:
# no deadline, and as many examples as find a broken symmetry.
settings.register_profile("scores", deadline=None, max_examples=25)
settings.load_profile("scores")

REFERENCE = Path(__file__).parents[1] / "reference"


class ReferenceCase(NamedTuple):
    embeddings: np.ndarray
    labels: np.ndarray
    logits: np.ndarray


@pytest.fixture(scope="session")
def reference_embeddings():
    """`reference_embeddings(case)`: float64 embeddings and logits, int64 labels."""
    arrays = np.load(REFERENCE / "embeddings.npz")

    def load(case):
        return ReferenceCase(
            arrays[f"{case}/Z"].astype(np.float64),
            arrays[f"{case}/y"],
            arrays[f"{case}/logits"].astype(np.float64),
        )

    return load


@pytest.fixture(scope="session")
def expected():
    """`expected(case, metric)`: the value that the other program gave."""
    cases = json.loads((REFERENCE / "embeddings_expected.json").read_text(encoding="utf-8"))

    def load(case, metric):
        if metric == "spectral_cluster_labels":
            return np.array(cases[case][metric])
        return cases[case]["values"][metric]

    return load


@pytest.fixture(
    params=[
        "balanced_n_gt_d",
        "n_lt_d",
        "relu_unbalanced",
        "mean_offset",
        "weak_powerlaw",
        "degenerate",
    ]
)
def case(request):
    """Name of each reference case in turn."""
    return request.param
