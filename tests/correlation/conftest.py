"""A small zoo for the tables that are made on request."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def small_zoo():
    """40 models of 8 families: scores with ties and gaps, accuracies of 38."""
    rng = np.random.default_rng(0)
    models = pd.Index([f"net{i}" for i in range(40)], name="model")
    truth = pd.Series(rng.uniform(0.5, 0.9, 40), models, name="top1").round(2)
    families = pd.Series([f"family{i % 8}" for i in range(40)], models)
    scores = pd.DataFrame(
        {
            "good": (truth + 0.05 * rng.normal(size=40)).round(2),
            "gaps": truth.where(rng.uniform(size=40) < 0.7) + 0.2 * rng.normal(size=40),
            "reversed": -truth + 0.05 * rng.normal(size=40),
        },
        models,
    )
    return {
        "scores_wide": scores,
        "truth": truth.drop(["net3", "net30"]),
        "families": families,
    }


@pytest.fixture
def small_sizes(small_zoo):
    """Sizes of the same models, related to the accuracy; one is unknown."""
    truth = small_zoo["truth"].reindex(small_zoo["scores_wide"].index).fillna(0.7)
    noise = np.random.default_rng(1).normal(size=(3, 40))
    sizes = pd.DataFrame(
        {
            "params": np.exp(15 + 4 * truth + noise[0]),
            "macs": np.exp(20 + 6 * truth + noise[1]),
            "image_size": np.where(noise[2] > 0, 288.0, 224.0),
        },
        truth.index,
    )
    sizes.loc["net5", "macs"] = np.nan
    return sizes
