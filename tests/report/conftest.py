"""A tiny store of frames, made by hand: 8 models of 4 families, every kind of row."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from zoo_eval.report import collect, findings
from zoo_eval.report.provenance import Provenance

HOSTILE = "<script>alert(1)</script>"
MODELS = ["a_small", "a_large", "b_small", "b_large", "c_small", "c_large", "d|odd", HOSTILE]
FAMILIES = ["a", "a", "b", "b", "c", "c", "d", "d"]
TOP1 = [0.70, 0.80, 0.72, 0.82, 0.75, 0.85, 0.60, 0.65]
DATASET = "fashion@1a2b3c4d"
DEFAULTS = {"dse": {"bandwidth": "sqrt_dim"}}


MADE = Provenance(
    "zoo-eval report --store zoo.duckdb",
    datetime(2026, 8, 31, 9, 5, tzinfo=UTC),
    "89abcdef",
    {"python": "3.11.7", "zoo-eval": "0.1.0"},
)


def rows(score, values, *, weights="pretrained", seed=0, options=None, dataset=DATASET, why=None):
    return [
        {
            "model": model,
            "weights": weights,
            "seed": seed,
            "dataset": dataset,
            "score": score,
            "options": json.dumps(options or {}),
            "value": value,
            "low": value - 0.25 if options and options.get("bandwidth") == "median" else np.nan,
            "high": value + 0.5 if options and options.get("bandwidth") == "median" else np.nan,
            "undefined_because": why if np.isnan(value) else None,
            "seconds": 0.25 + i / 8,
        }
        for i, (model, value) in enumerate(zip(MODELS, values, strict=True))
    ]


class FakeStore:
    """Answers like `zoo_eval.Store`; each table may be changed by a test."""

    HOSTILE = HOSTILE
    MODELS = MODELS
    TOP1 = TOP1
    DEFAULTS = DEFAULTS

    def __init__(self):
        sqrt_dim, median = {"bandwidth": "sqrt_dim"}, {"bandwidth": "median"}
        gaps = [np.nan if i < 3 else i for i in range(8)]
        self.tables = {
            "scores": pd.DataFrame(
                rows(
                    "params",
                    [1e6, 4e6, 2e6, 8e6, 3e6, 9e6, 5e6, 7e6],
                    weights="any",
                    dataset="none",
                )
                + rows("dse", [1.0, 3.0, 2.0, 4.0, 3.5, 5.0, 0.5, 0.1], options=sqrt_dim)
                + rows("dse", [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], options=median)
                + rows("snip", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], weights="init", seed=0)
                + rows("snip", [3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 9.0, 8.0], weights="init", seed=1)
                + rows(
                    "snip", [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -8.0, -7.0], weights="init-neutral"
                )
                + rows("naswot", gaps, why="no ReLU")
                + rows("leep", [np.nan] * 8, why="one class")
            ),
            "models": pd.DataFrame(
                {
                    "model": [*MODELS, "never_tried"],
                    "family": [*FAMILIES, "e"],
                    "params": [1e6, 4e6, 2e6, 8e6, 3e6, 9e6, 5e6, 7e6, 1.0],
                    "macs": np.nan,
                    "activations": [3e6, 5e6, 2e6, 8e6, 4e6, 9e6, 1e6, 7e6, 1.0],
                    "licence": "apache-2.0",
                }
            ),
            "accuracies": pd.DataFrame(
                [
                    {"model": m, "benchmark": b, "metric": k, "value": v, "source": "measured"}
                    for b, k, known in (
                        ("fashion", "top1", 8),
                        ("real", "top1", 6),
                        ("v2", "top5", 8),
                    )
                    for m, v in zip(MODELS[:known], TOP1[:known], strict=True)
                ]
            ),
            "trust": pd.DataFrame(
                {"model": MODELS[:3], "dataset": DATASET, "trusted": [True, False, True]}
            ),
            "runs": pd.DataFrame(
                {
                    "run": ["r1"],
                    "command": ["zoo-eval run quickstart"],
                    "started": [pd.Timestamp("2026-08-30 12:00")],
                    "git_commit": ["0123abc"],
                    "versions": ['{"python": "3.11.7", "torch": "2.13.0"}'],
                }
            ),
            "datasets": pd.DataFrame(
                {
                    "dataset": [DATASET, "other@0000"],
                    "name": ["fashion", "other"],
                    "digest": ["1a2b3c4d5e6f", "0000"],
                    "n_images": [2000, 1],
                    "n_classes": [10, 1],
                }
            ),
            "failures": pd.DataFrame(
                {
                    "model": ["broken"],
                    "weights": ["pretrained"],
                    "error_type": ["WeightsError"],
                    "message": ["the file is 12 bytes long\nand <b>bad</b>"],
                }
            ),
            "attempts": pd.DataFrame(
                [
                    {
                        "run": "r1",
                        "model": model,
                        "weights": "pretrained",
                        "seed": 0,
                        "started": pd.Timestamp("2026-08-30 12:00") + pd.Timedelta(minutes=i),
                        "seconds": 1.5 + i,
                        "device": "cpu",
                        "peak_rss_bytes": 4e8,
                        "outcome": "error" if model == "broken" else "ok",
                        "error_type": "WeightsError" if model == "broken" else None,
                        "message": "and <b>bad</b>" if model == "broken" else None,
                        "traceback": "Traceback:\n  <b>line 1</b>" if model == "broken" else None,
                    }
                    for i, model in enumerate([*MODELS, "broken"])
                ]
            ),
        }

    def scores(self, *, compact=False):
        return self.tables["scores"]

    def models(self):
        return self.tables["models"]

    def accuracies(self):
        return self.tables["accuracies"]

    def trust(self):
        return self.tables["trust"]

    def runs(self):
        return self.tables["runs"]

    def datasets(self):
        return self.tables["datasets"]

    def failures(self):
        return self.tables["failures"]

    def attempts(self):
        return self.tables["attempts"]


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def data(store):
    return collect(store, DEFAULTS)


@pytest.fixture
def found(data):
    return findings(data, resamples=50)


@pytest.fixture
def made():
    return MADE
