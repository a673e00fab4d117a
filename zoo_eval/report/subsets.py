"""The subsets of models that scores are judged on beside all of them."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from zoo_eval.report.frames import Frame, Series

# `pretraining` of manifests/README.md that saw no images but ImageNet-1k.
_NO_OTHER_IMAGES = ("in1k", "in1k-mim")
_KINDS = {"cnn": "CNN", "transformer": "transformer", "hybrid": "hybrid", "mlp": "MLP"}


def standard_subsets(models: Frame, accuracy: Series) -> Frame:
    """Which models belong to each subset.

    `ImageNet-1k only`: no other images in training, with or without a stage of masked image
    modelling. `one per architecture`: of the weights and image sizes of an architecture, those of
    highest accuracy, the first by name of several; they are what a user would take, and chosen by
    the accuracy that scores are judged by. `CNN`, `transformer`, `hybrid`, `MLP`: see `kind`. Image
    sizes are those of the evaluation.

    Args:
        models: Facts by model: `family`, `pretraining`, `image_size` as a manifest has them; a
            fact that is missing puts a model in no subset that needs it.
        accuracy: Accuracy by model, to choose one of an architecture by.

    Returns:
        One row per model, one boolean column per subset, `all` first; none that is empty.
    """
    facts: Frame = models.reindex(columns=["family", "pretraining", "image_size"])
    names: Series = models.index.to_series().astype(str)
    architecture: Series = names.str.partition("@")[0].str.partition(".")[0]
    kinds = [kind(str(f), a) for f, a in zip(facts["family"], architecture, strict=True)]
    size = facts["image_size"].astype("float64")
    subsets: Frame = pd.DataFrame({"all": True}, models.index)
    subsets["ImageNet-1k only"] = facts["pretraining"].isin(_NO_OTHER_IMAGES)
    subsets["one per architecture"] = names.isin(_best_of_each(architecture, accuracy))
    for name, title in _KINDS.items():
        subsets[title] = np.array(kinds) == name
    subsets["below 256 px"] = size < 256
    subsets["256 to 320 px"] = size.between(256, 320)
    subsets["above 320 px"] = size > 320
    return subsets.loc[:, subsets.any()]


def kind(family: str, architecture: str) -> str:
    """What a network mixes image positions with, from `kinds.csv`.

    `cnn`: convolutions and pooling only, whatever weighs the channels. `transformer`: attention in
    every stage; a convolution may embed patches, carry positions or lie between stages. `hybrid`:
    attention in some layers or stages, convolutions in others. `mlp`: linear maps across positions.
    `other`: anything else; empty if the family is unknown.

    >>> kind("metaformer", "caformer_s18"), kind("metaformer", "convformer_s18")
    ('hybrid', 'cnn')
    """
    of_family = _kinds().get(family, {})
    fitting = [prefix for prefix in of_family if architecture.startswith(prefix)]
    return of_family[max(fitting, key=len)] if fitting else ""


@cache
def _kinds() -> Mapping[str, Mapping[str, str]]:
    """Family → beginning of the architecture's name → kind; the longest beginning decides."""
    found: dict[str, dict[str, str]] = {}
    with Path(__file__).with_name("kinds.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            found.setdefault(row["family"], {})[row["begins"]] = row["kind"]
    return found


def _best_of_each(architecture: Series, accuracy: Series) -> list[str]:
    known: Frame = pd.DataFrame({"architecture": architecture, "accuracy": accuracy})
    known = known.reindex(architecture.index).dropna().sort_index()
    best = known.sort_values("accuracy", ascending=False, kind="stable")
    return best.drop_duplicates("architecture").index.astype(str).tolist()
