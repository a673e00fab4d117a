from dataclasses import replace

import pytest

from zoo_eval.errors import ClusterError
from zoo_eval.executors.resources import GB, Capacity, check, need_of
from zoo_eval.executors.task import Task
from zoo_eval.job import Job
from zoo_eval.job.schema import ResourcesTable
from zoo_eval.plan import Unit, make_plan
from zoo_eval.relief import Relief
from zoo_eval.settings import Settings

LARGEST = Capacity(16, 64 * GB)
SETTINGS = Settings("cpu", 64, 0.0, "fp32", "fp32", 32, 0, "noise")
NOTHING = ResourcesTable()


def unit(tmp_path, scores: str, params: int, activations: int) -> Unit:
    (tmp_path / "m.csv").write_text(
        "model,family,label_space,image_size,source,params,activations\n"
        f"resnet18.a1_in1k,resnet,imagenet-1k,224,nowhere,{params},{activations}\n"
    )
    path = tmp_path / "job.toml"
    path.write_text(f'manifest = "m.csv"\ndataset = "fashion"\nscores = {scores}\n')
    return make_plan(Job.load(path), "x@1", set()).units[0]


def test_a_pass_over_the_images_takes_its_weights_twice_and_one_batch(tmp_path):
    task = Task(unit(tmp_path, '["dse"]', 10**7, 10**6))
    need = need_of(task, SETTINGS, NOTHING, LARGEST)
    assert need.memory == 1.5 * GB + 2 * 4e7 + 64 * 4e6
    assert (need.cpus, need.gpus) == (1, 0.0)


def test_gradients_take_the_weights_twice_more_and_three_times_sixteen_images(tmp_path):
    task = Task(
        unit(tmp_path, '["dse", {name = "grad_norm", weights = ["pretrained"]}]', 10**7, 10**7)
    )
    need = need_of(task, replace(SETTINGS, batch_size=4), NOTHING, LARGEST)
    assert need.memory == 1.5 * GB + 4 * 4e7 + 3 * 16 * 4e7


def test_a_batch_size_that_is_measured_takes_the_working_set(tmp_path):
    task = Task(unit(tmp_path, '["dse"]', 10**7, 10**6))
    settings = replace(SETTINGS, batch_size=None, working_set=5e8)
    assert need_of(task, settings, NOTHING, LARGEST).memory == 1.5 * GB + 2 * 4e7 + 5e8


def test_relief_takes_less(tmp_path):
    task = Task(unit(tmp_path, '["dse"]', 10**7, 10**6), Relief(divisor=8, bf16=True))
    need = need_of(task, SETTINGS, NOTHING, LARGEST)
    assert need.memory == 1.5 * GB + 2 * 4e7 + 64 * 4e6 / 8 / 2


def test_a_network_with_the_memory_of_four_processors_gets_four(tmp_path):
    task = Task(unit(tmp_path, '["dse"]', 10**9, 10**7))
    need = need_of(task, SETTINGS, NOTHING, LARGEST)
    assert need.memory == 1.5 * GB + 2 * 4e9 + 64 * 4e7  # 12.06 GB
    assert need.cpus == 4
    small = need_of(task, SETTINGS, NOTHING, Capacity(2, 8 * GB))
    assert (small.cpus, small.memory) == (2, 8 * GB)


def test_on_a_gpu_a_tenth_of_it_or_more_and_little_memory_of_the_node(tmp_path):
    task = Task(unit(tmp_path, '["dse"]', 10**9, 10**7))
    with_gpu = replace(LARGEST, gpu_memory=40 * GB)
    need = need_of(task, replace(SETTINGS, device="auto"), NOTHING, with_gpu)
    assert need.gpus == 0.3  # 10.56 of 40 GB
    assert need.memory == 1.5 * GB + 2 * 4e9
    on_cpu = replace(task, relief=Relief(divisor=8, cpu=True))
    assert need_of(on_cpu, replace(SETTINGS, device="auto"), NOTHING, with_gpu).gpus == 0


def test_what_the_job_says_counts(tmp_path):
    task = Task(unit(tmp_path, '["dse"]', 10**9, 10**7))
    path = tmp_path / "job.toml"
    path.write_text(path.read_text() + '[resources]\ncpus = 3\ngpus = 0.5\nmemory = "4GB"\n')
    need = need_of(task, SETTINGS, Job.load(path).resources, LARGEST)
    assert (need.cpus, need.gpus, need.memory) == (3, 0.5, 4 * GB)


def test_what_no_node_has_is_refused():
    check(ResourcesTable(cpus=16), LARGEST)
    with pytest.raises(ClusterError, match=r"ask for cpus = 17, but no node .* more than 16"):
        check(ResourcesTable(cpus=17), LARGEST)
    with pytest.raises(ClusterError, match=r"ask for gpus = 0.5, but no node .* more than 0"):
        check(ResourcesTable(gpus=0.5), LARGEST)
