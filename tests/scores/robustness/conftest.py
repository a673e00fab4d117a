"""A really trained network of the fashion zoo, and copies of it that are changed by hand."""

import copy

import numpy as np
import pytest
import torch

from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.batches import ModelImages
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.manifest import Manifest
from zoo_eval.models.build import build_model


class Trained:
    """A network, 100 images, and what a score of robustness is given."""

    def __init__(self, name):
        [line] = [line for line in Manifest.load("fashion") if line.model == name]
        self.dataset = load_dataset(DatasetSpec("fashion", images_per_class=10))
        self.preprocessing = preprocessing_of(line)
        self.model = build_model(line, "pretrained", 0)
        self.images = ModelImages(self.dataset, self.preprocessing, 50, torch.device("cpu"))
        self.labels = np.asarray(self.dataset.labels)
        self.batch = torch.cat(list(self.images))
        self.classes = self.classes_of(self.model, self.batch)

    def givens(self, *names):
        every = {
            "model": self.model,
            "images": self.images,
            "altered_images": self.images.altered,
            "head_labels": self.labels,
        }
        return {name: every[name] for name in ("model", "images", *names)}

    def classes_of(self, model, batch):
        with torch.no_grad():
            return model(batch).argmax(dim=1).numpy()

    def agreement(self, change=None, batch=None):
        """Share of images that keep their class in a changed copy, or changed images."""
        model = copy.deepcopy(self.model)
        if change is not None:
            layers = [
                m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))
            ]
            with torch.no_grad():
                change([layer.weight for layer in layers])
        classes = self.classes_of(model, self.batch if batch is None else batch)
        return float((classes == self.classes).mean())


@pytest.fixture(scope="session")
def trained():
    return Trained("resnet10t.w8_e6")


@pytest.fixture(scope="session")
def deep():
    """Four stages of two residual blocks."""
    return Trained("resnet18.w12_e3")
