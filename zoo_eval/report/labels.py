"""Names of score columns: the score, and whatever tells it from its siblings."""

import json
from collections import Counter
from collections.abc import Mapping

from zoo_eval.report.frames import Frame

SETTING = ["score", "options", "weights", "dataset"]

Options = Mapping[str, object]


def label_settings(scores: Frame, defaults: Mapping[str, Options]) -> Frame:
    """One label per setting of a score that occurs in a frame of stored scores.

    A label is the score's name, then in brackets the options that differ from the defaults,
    then ` @weights` if the score occurs with several kinds of weights, then ` on dataset` if it
    occurs with several datasets. Two settings never share a label: where leaving out the
    defaults would make them equal, as with rows from before an option existed, all
    options are written.

    Args:
        scores: Frame with the columns of `SETTING`.
        defaults: Default options of each score; of an unknown score all options are written.

    Returns:
        The distinct settings, with a column `label`.
    """
    settings: Frame = scores[SETTING].drop_duplicates().astype("str").reset_index(drop=True)
    weights = settings.groupby("score")["weights"].nunique()
    imaged = settings[settings["dataset"] != "none"]
    datasets = imaged.groupby("score")["dataset"].nunique()
    suffixes = [
        (f" @{row.weights}" if weights[row.score] > 1 else "")
        + (f" on {row.dataset}" if datasets.get(row.score, 0) > 1 else "")
        for row in settings.itertuples()
    ]
    short, full = (
        [
            _with_options(row.score, row.options, known.get(row.score, {})) + suffix
            for row, suffix in zip(settings.itertuples(), suffixes, strict=True)
        ]
        for known in (defaults, {})
    )
    occurrences = Counter(short)
    settings["label"] = [
        brief if occurrences[brief] == 1 else whole
        for brief, whole in zip(short, full, strict=True)
    ]
    return settings


def _with_options(score: str, options: str, defaults: Options) -> str:
    """`dsmi[bandwidth=median]`, or just `dsmi` if nothing differs from the defaults."""
    given: dict[str, object] = json.loads(options or "{}")
    shown = [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in sorted(given.items())
        if name not in defaults or value != defaults[name]
    ]
    return f"{score}[{', '.join(shown)}]" if shown else score
