import dataclasses

import pytest

from tests.zoo import write_job, write_zoo
from zoo_eval.errors import ModelError
from zoo_eval.job import Job
from zoo_eval.runner import execute, prepare
from zoo_eval.store import Store


def test_a_device_that_cannot_be_used_is_found_before_a_run_is_noted(tmp_path):
    job = Job.load(write_job(tmp_path, write_zoo(tmp_path, 1)))
    evaluation = job.evaluation.model_copy(update={"device": "nosuch", "batch_size": "auto"})
    store = Store(tmp_path / "r.duckdb")
    prepared = prepare(dataclasses.replace(job, evaluation=evaluation), store)
    with pytest.raises(ModelError, match="The device 'nosuch' cannot be used"):
        execute(prepared, workers=1)
    assert not store.path.exists()
