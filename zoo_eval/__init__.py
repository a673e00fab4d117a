"""zoo_eval: which pretrained network should I use, and which cheap score would have told me?

The names below are loaded when they are first used, so that `import zoo_eval` stays quick and
does not import torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo_eval import scores
    from zoo_eval.conformance import check_score
    from zoo_eval.job import Job
    from zoo_eval.manifest import Manifest
    from zoo_eval.ranking.inspection import inspect_images
    from zoo_eval.ranking.rank import rank
    from zoo_eval.ranking.takeaway.predictor import load_probe
    from zoo_eval.runner import run
    from zoo_eval.store import Store

__version__ = "0.1.0"
__all__ = [
    "Job",
    "Manifest",
    "Store",
    "check_score",
    "inspect_images",
    "load_probe",
    "rank",
    "run",
    "scores",
]

_WHERE = {
    "Job": ("zoo_eval.job", "Job"),
    "Manifest": ("zoo_eval.manifest", "Manifest"),
    "Store": ("zoo_eval.store", "Store"),
    "check_score": ("zoo_eval.conformance", "check_score"),
    "inspect_images": ("zoo_eval.ranking.inspection", "inspect_images"),
    "load_probe": ("zoo_eval.ranking.takeaway.predictor", "load_probe"),
    "rank": ("zoo_eval.ranking.rank", "rank"),
    "run": ("zoo_eval.runner", "run"),
    "scores": ("zoo_eval.scores", None),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _WHERE:
        raise AttributeError(f"module 'zoo_eval' has no attribute {name!r}")
    module_name, attribute = _WHERE[name]
    module = importlib.import_module(module_name)
    return module if attribute is None else getattr(module, attribute)
