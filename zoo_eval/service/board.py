"""The table of models: facts, accuracies and scores side by side."""

import pandas as pd

from zoo_eval.report import ReportData
from zoo_eval.report.frames import Frame

_LONG = "details"  # every column of the manifest as JSON: shown of one model, not of all


def board_of(data: ReportData) -> Frame:
    """One row per model that was tried (the index): facts, accuracies, `trusted`, scores.

    Where a baseline such as `params` was counted, that number stands; else the published one.
    """
    gate = data.trust.groupby("model")["trusted"].all()
    checked = [bool(gate[model]) if model in gate.index else None for model in data.models.index]
    trusted = pd.Series(checked, data.models.index, object, "trusted")
    counted = [name for name in data.models.columns if name in data.scores.columns]
    facts = data.models.drop(columns=[_LONG, *counted], errors="ignore")
    scores = data.scores.copy()
    for name in counted:
        scores[name] = scores[name].fillna(data.models[name].astype("float64"))
    return pd.concat([facts, trusted, data.accuracies, scores], axis=1)
