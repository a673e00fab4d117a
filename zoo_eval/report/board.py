"""The table of models: facts, accuracies and scores side by side."""

import pandas as pd

from zoo_eval.report.collect import ReportData
from zoo_eval.report.frames import Frame

SPEED = "images_per_second"
# Every column of the manifest as JSON: shown of one model, not of all.
_LONG = "details"
TEXTS = ("family", "pretraining", "label_space", "licence", "distilled", "trusted")


def board_of(data: ReportData) -> Frame:
    """One row per model that was tried (the index): facts, accuracies, speed, scores.

    Where a baseline such as `params` was counted, that number stands; else the published one.
    `trusted` is True, False, or None for a model that did not go through the gate. All columns but
    those in `TEXTS` are floats.
    """
    gate = data.trust.groupby("model")["trusted"].all()
    trusted = [bool(gate[m]) if m in gate.index else None for m in data.models.index]
    facts = data.models.drop(columns=_LONG, errors="ignore")
    texts = facts[[name for name in TEXTS if name in facts]].astype(object)
    texts["trusted"] = pd.Series(trusted, facts.index, object)
    numbers = facts.drop(columns=texts.columns, errors="ignore").astype("float64")
    scores = data.scores
    counted = {name: numbers.pop(name) for name in list(numbers) if name in scores}
    scores = scores.assign(
        **{name: scores[name].fillna(stated) for name, stated in counted.items()}
    )
    speed = data.images_per_second.rename(SPEED)
    board: Frame = pd.concat([texts, numbers, speed, data.accuracies, scores], axis=1)
    return board.loc[:, ~board.columns.duplicated()]


def in_words(board: Frame) -> Frame:
    """The same with all texts to be read: "" for what is not known, the gate as a word."""
    words: dict[object, str] = {True: "passed", False: "outside", None: ""}
    texts = board[[name for name in TEXTS if name in board]]
    texts = texts.where(texts.notna(), "").astype(str)
    texts["trusted"] = [words[gate] for gate in board["trusted"]]
    return board.assign(**{name: texts[name] for name in texts})
