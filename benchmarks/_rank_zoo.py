"""Embeddings of all images of a dataset by all networks of some manifests, kept between calls."""

from pathlib import Path

import numpy as np

from zoo_eval.datasets import DatasetSpec
from zoo_eval.manifest import Manifest
from zoo_eval.ranking.round_job import round_job
from zoo_eval.ranking.round_run import Runs
from zoo_eval.store import Store
from zoo_eval.store.lock import one_run


def embeddings_of(
    manifest: Manifest, spec: DatasetSpec, work: Path
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Embeddings by network, and the label of each image.

    Args:
        manifest: The networks; those that fail are left out by name.
        spec: The images.
        work: Folder of the store; what it has is not computed again.
    """
    runs = Runs(Store(work / f"{spec.name}-{manifest.name}.duckdb"))
    with one_run(runs.store):
        job = round_job(manifest, manifest.lines, spec, labelled=True, dear=False)
        result = runs.execute(runs.prepare(job), lambda _: None)
    for lost in result.failed:
        print(f"without {lost.model}: {lost.reason}", flush=True)
    return {model: result.embeddings(model) for model in result.models}, result.labels
