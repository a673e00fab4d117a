"""Inputs and values of other programs; see tests/reference/README.md."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import settings

from tests.parity import PARITY, Parity

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
def expectations():
    """What other programs gave: metrics (how it was computed), cases (values)."""
    return json.loads((REFERENCE / "embeddings_expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def expected(expectations):
    """`expected(case, metric)`: the value that the other program gave."""

    def load(case, metric, field="value"):
        cases = expectations["cases"]
        if metric in cases[case]:
            return np.array(cases[case][metric])
        return float(cases[case]["values"][metric][field])

    return load


@pytest.fixture
def parity(request, expectations):
    """`Parity` for the score that the test file is named after."""
    score = request.path.stem.removeprefix("test_")
    return Parity(score, expectations, request.config.stash[PARITY])


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
