"""Manifests: checked lists of models with published accuracies and their sources."""

from zoo_eval.manifest.lines import ACCURACY, Cell, ModelLine
from zoo_eval.manifest.manifest import Manifest

__all__ = ["ACCURACY", "Cell", "Manifest", "ModelLine"]
