"""One round of a race as a job: some networks, some images, and what they are ranked by."""

import json
from collections.abc import Sequence
from dataclasses import replace

from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.job import Job
from zoo_eval.job.job import ScoreRequest
from zoo_eval.job.schema import EvaluationTable, ProbeTable, ResourcesTable
from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.scores import SCORES, OptionValue

# What each round adds to those before: all need one pass, and the later ones a decomposition.
CHEAP = ("knn_accuracy", "ncm_accuracy")
DEAR = ("ridge_probe_accuracy", "logme", "h_score_shrinkage")
# Best first, by their rank correlation with accuracy in reports/all-scores.
LABEL_FREE = ("participation_ratio", "nesum", "rankme")
_NEIGHBOURS = 5
# Not measured, as a run does: that takes longer than the first round, and the budget is running.
_BATCH_SIZE = 32


def round_job(
    manifest: Manifest,
    lines: Sequence[ModelLine],
    spec: DatasetSpec,
    *,
    labelled: bool,
    dear: bool,
) -> Job:
    """A job for one round.

    Args:
        manifest: Where the networks are from.
        lines: Those that are in the race.
        spec: The images of this round.
        labelled: Whether they have labels.
        dear: Whether to compute the dearer scores too.
    """
    names = (*CHEAP, *(DEAR if dear else ())) if labelled else LABEL_FREE
    models = ", ".join(f"'{line.model}'" for line in lines)
    text = (
        f"# A round of `zoo-eval rank`.\nmanifest = {json.dumps(str(manifest.path))}\n"
        f"where = {json.dumps(f'model IN ({models})')}\nscores = {json.dumps(names)}\n"
        f"[dataset]\nsource = {json.dumps(spec.source)}\nseed = {spec.seed}\n"
        f"images_per_class = {spec.images_per_class}\n"
        f"class_folder = {json.dumps(spec.class_folder)}\n"
        f"image_column = {json.dumps(spec.image_column)}\n"
        f"label_column = {json.dumps(spec.label_column)}\n"
        f"[evaluation]\nbatch_size = {_BATCH_SIZE}\n"
    )
    return Job(
        name=f"rank-{spec.name}",
        text=text,
        manifest=replace(manifest, lines=tuple(lines)),
        weights=("pretrained",),
        seeds=(0,),
        dataset=spec,
        probe=ProbeTable(),
        evaluation=EvaluationTable(batch_size=_BATCH_SIZE),
        resources=ResourcesTable(),
        scores=tuple(_request(name) for name in names),
        truth=None,
    )


def _request(name: str) -> ScoreRequest:
    score = SCORES[name]
    options: dict[str, OptionValue] = {"k": _NEIGHBOURS} if name == "knn_accuracy" else {}
    return ScoreRequest(score, score.with_defaults(options), ("pretrained",))
