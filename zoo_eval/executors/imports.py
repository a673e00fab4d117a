"""What workers import that takes long, and nothing of ours: see `zoo_eval.executors.starting`.

Not timm: with it comes huggingface_hub, which reads the environment when it is imported, and a
worker's is not that of the process that it is copied from.
"""

import importlib

from zoo_eval.models.torchvision_ops import ensure_torchvision

ensure_torchvision()
for library in ("torchvision", "sklearn.cluster", "sklearn.linear_model", "sklearn.mixture"):
    importlib.import_module(library)
