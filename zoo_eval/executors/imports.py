"""What workers import that takes long, and nothing of ours: see `zoo_eval.executors.starting`."""

import importlib

from zoo_eval.models.torchvision_ops import ensure_torchvision

ensure_torchvision()
for library in ("torch", "timm", "sklearn.cluster", "sklearn.linear_model", "sklearn.mixture"):
    importlib.import_module(library)
