"""What a run notes of itself, its models and its dataset."""

import json
import platform
import uuid
from datetime import UTC, datetime

from zoo_eval.datasets import Dataset
from zoo_eval.job import Job
from zoo_eval.manifest import ModelLine
from zoo_eval.provenance import git_commit, versions
from zoo_eval.store import DatasetRow, ModelRow, RunRow


def run_row(job: Job, command: str) -> RunRow:
    """A run that begins now."""
    return RunRow(
        run=uuid.uuid4().hex,
        job=job.name,
        job_text=job.text,
        command=command,
        started=datetime.now(UTC).replace(tzinfo=None),
        git_commit=git_commit() or None,
        versions=json.dumps(versions()),
        host=platform.node(),
    )


def model_row(line: ModelLine) -> ModelRow:
    """What the store keeps of a manifest line."""
    cells = line.cells

    def text(column: str) -> str | None:
        value = cells.get(column)
        return None if value is None else str(value)

    def count(column: str) -> int | None:
        value = cells.get(column)
        return value if isinstance(value, int) else None

    distilled = cells.get("distilled")
    return ModelRow(
        model=line.model,
        family=line.family,
        params=count("params"),
        macs=count("macs"),
        activations=count("activations"),
        image_size=line.image_size,
        pretraining=text("pretraining"),
        distilled=distilled if isinstance(distilled, bool) else None,
        licence=text("licence"),
        label_space=line.label_space,
        details=json.dumps({k: v for k, v in cells.items() if v is not None}, sort_keys=True),
        accuracies=tuple((b, m, value) for (b, m), value in line.accuracies().items()),
        source=str(cells["source"]),
    )


def dataset_row(dataset: Dataset) -> DatasetRow:
    """The dataset's identity and recipe."""
    return DatasetRow(
        dataset=dataset.label,
        name=dataset.name,
        digest=dataset.digest,
        n_images=len(dataset),
        n_classes=len(dataset.classes),
        recipe=dataset.recipe,
    )
