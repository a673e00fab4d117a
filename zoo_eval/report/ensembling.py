"""What the networks of a store are worth together, from the logits that it has kept."""

import json
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from zoo_eval.errors import ArrayError
from zoo_eval.report.collect import ReportData
from zoo_eval.report.ensembles import Ensembles
from zoo_eval.report.findings import known_truths
from zoo_eval.report.frames import Frame
from zoo_eval.store import ArrayFolder, Store
from zoo_eval.store.rows import EmbeddingsRow

# Pairs grow with the square of the networks.
MOST_MODELS = 100
_MOST_BYTES = 2**29  # of logits at once
_FEWEST_IMAGES = 20
HOW_TO = (
    "Ensembles take the logits of two or more networks on images of classes that they know. "
    "`zoo-eval run JOB --keep-arrays` keeps them, of the networks that it evaluates: for a job "
    "that is done already, give it another --store."
)


def ensembles(
    store: Store, arrays: ArrayFolder, data: ReportData, truth: str | None = None
) -> Ensembles:
    """Pair and average the networks whose logits are kept, trained ones on whole images.

    On the dataset on which most of them have logits; of more than a hundred, or of more than
    half a gigabyte, the most accurate ones.

    Args:
        store: Which logits there are.
        arrays: Where they are.
        data: What `collect` read of the store.
        truth: Accuracy that says which are the most accurate, `<benchmark>_<metric>`; None takes
            the one that is known for most models.
    """
    rows = _rows(store, data)
    truths = known_truths(data)
    truth = truth if truth in truths else next(iter(truths), None)
    known: dict[str, float] = data.accuracies[truth].dropna().to_dict() if truth else {}
    rows.sort(key=lambda row: (-known.get(row.model, 0.0), row.model))
    logits, labels = _alike(arrays, rows)
    if len(logits) < 2 or len(labels) < _FEWEST_IMAGES:
        return _none(HOW_TO)
    # scipy's optimiser takes a while to import; whoever has kept no logits need not wait for it.
    from zoo_eval.ensembles.families import two_tiers
    from zoo_eval.ensembles.members import Members
    from zoo_eval.ensembles.partners import partners

    members = Members.of(logits, labels)
    families = data.models["family"].fillna("no family").astype(str)
    of_family, averages = two_tiers(members, families.to_dict())
    found = pd.DataFrame([asdict(one) for one in partners(members)]).set_index("model")
    return Ensembles(
        dataset=rows[0].dataset,
        n_choosing=len(members.halves.choosing),
        n_judging=len(members.halves.judging),
        partners=found.assign(temperature=pd.Series(members.temperatures)),
        families=pd.DataFrame([asdict(one) for one in of_family]).set_index("family"),
        averages=pd.DataFrame([asdict(one) for one in averages]).set_index("name"),
        left_out=len(rows) - len(logits),
    )


def _none(why: str) -> Ensembles:
    empty = pd.DataFrame()
    return Ensembles("", 0, 0, empty, empty, empty, 0, why)


def _rows(store: Store, data: ReportData) -> list[EmbeddingsRow]:
    """The newest logits of each trained model, on the dataset that most of them have."""
    frame: Frame = store.embeddings()
    frame = frame[
        (frame["weights"] == "pretrained")
        & (frame["n_outputs"] > 0)
        & frame["dataset"].isin(_of_whole_images(data.datasets))
        & frame["model"].isin(data.models.index)
    ]
    frame = frame.sort_values("stored").drop_duplicates(["model", "dataset"], keep="last")
    if frame.empty:
        return []
    dataset = frame["dataset"].value_counts(sort=False).sort_index().idxmax()
    files = set(frame.loc[frame["dataset"] == dataset, "file"])
    return [row for row in store.kept_arrays() if row.file in files]


def _of_whole_images(datasets: Frame) -> list[str]:
    """Datasets without crops: views of one image would stand on both sides of a cut."""
    return [
        str(row["dataset"])
        for row in datasets.to_dict("records")
        if not json.loads(row["recipe"] or "{}").get("crops")
    ]


def _alike(
    arrays: ArrayFolder, rows: Iterable[EmbeddingsRow]
) -> tuple[dict[str, Float[np.ndarray, "n classes"]], Int[np.ndarray, " n"]]:
    """Logits of the models whose heads count the classes as the first one's, and the labels."""
    logits: dict[str, np.ndarray] = {}
    labels, n_bytes = np.zeros(0, np.int64), 0
    for row in rows:
        n_bytes += row.n_images * row.n_outputs * 4
        if len(logits) == MOST_MODELS or (len(logits) > 1 and n_bytes > _MOST_BYTES):
            break
        try:
            read = arrays.read(row)
        except ArrayError:  # as good as not kept: `zoo-eval doctor` says more
            continue
        if read.labels is None:
            continue
        if not logits:
            labels = read.labels
        shape = next(iter(logits.values()), read.logits).shape
        if read.logits.shape == shape and np.array_equal(read.labels, labels):
            logits[row.model] = read.logits
    return logits, labels
