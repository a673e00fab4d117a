"""A package of scores that misbehave, each on one network of a zoo, for tests of real faults."""

from pathlib import Path

from tests.zoo import write_job, write_zoo

# Architecture → what the score `fault` does when it is given that network.
FAULTS = {
    "test_resnet": "nothing",
    "test_convnext": "exit",
    "test_efficientnet": "crash",
    "test_byobnet": "hang",
    "test_vit": "eat",
    "test_nfnet": "fork",
    "test_mambaout": "print",
    "test_convnext2": "raise",
}
MODULE = '''\
import ctypes
import os
import sys
import time

from zoo_eval.scores import score

FAULTS = {faults!r}


@score(unit="1", higher_is_better=None, bounds=(0.0, 1.0))
def fault(model):
    """Misbehave.

    References:
        Nobody, "Nothing", https://example.org/nothing
    """
    kind = FAULTS[model.pretrained_cfg["architecture"]]
    if kind == "exit":
        os._exit(7)
    if kind == "crash":
        ctypes.string_at(0)
    if kind == "hang":
        ctypes.PyDLL(None).sleep(1000)  # keeps the interpreter's lock, as careless C code does
    if kind == "eat":
        eaten = []
        while True:
            eaten.append(bytearray(b"x" * 50_000_000))
    if kind == "fork" and os.fork() == 0:
        time.sleep(1)
        return 0.5  # the child would go on as a second worker
    if kind == "print":
        for _ in range(1000):
            print("x" * 20_000)
        os.write(1, b"y" * 1_000_000)
    if kind == "raise":
        raise RuntimeError("no good")
    return 1.0
'''


def write_faulty_scores(folder: Path) -> Path:
    """Write an installed package with the score `fault`; to be put on the search path."""
    info = folder / "faulty-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[zoo_eval.scores]\nfaulty = faulty\n")
    (folder / "faulty.py").write_text(MODULE.format(faults=FAULTS))
    return folder


def write_faulty_job(folder: Path) -> Path:
    """Write a zoo with one network for each fault, and a job with two good scores and `fault`."""
    manifest = write_zoo(folder, len(FAULTS), tuple(FAULTS))
    job = write_job(folder, manifest, scores='["params", "knn_accuracy", "fault"]')
    job.write_text(job.read_text().replace('["pretrained", "init"]', '["pretrained"]'))
    return job
