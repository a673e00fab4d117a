"""Which output of a network's head stands for which class of a dataset."""

from functools import cache

import numpy as np
from jaxtyping import Int

from zoo_eval.datasets.dataset import Dataset
from zoo_eval.datasets.sources import FASHION_CLASSES
from zoo_eval.models.torchvision_ops import ensure_torchvision


@cache
def head_classes(label_space: str) -> tuple[str, ...] | None:
    """Class names in the order of the head's outputs; None for a space not known here.

    ImageNet's classes are WordNet ids such as `n01440764`, as its folders are called.
    """
    if label_space == "fashion-mnist":
        return FASHION_CLASSES
    if label_space == "imagenet-1k":
        ensure_torchvision()
        from timm.data.imagenet_info import ImageNetInfo

        return tuple(ImageNetInfo("imagenet-1k").label_names())
    return None


def head_places(label_space: str, classes: tuple[str, ...]) -> tuple[int, ...] | None:
    """The head's output for each class of the dataset; None if it lacks one of them."""
    outputs = head_classes(label_space)
    if outputs is None or not set(classes) <= set(outputs):
        return None
    return tuple(outputs.index(name) for name in classes)


def head_labels(label_space: str, dataset: Dataset) -> Int[np.ndarray, " n"] | None:
    """Class of each image as the head counts them.

    None if the head lacks a class of the dataset, or the images have no labels.
    """
    places = head_places(label_space, dataset.classes)
    return np.asarray(places)[np.asarray(dataset.labels, np.int64)] if places else None
