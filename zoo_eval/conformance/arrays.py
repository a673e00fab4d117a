"""Small datasets on which formulas go wrong: inputs of scores that are computed from arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from zoo_eval.quantities.forward import ForwardPass

_SOURCE_CLASSES = 7
_PIXELS = 16


@dataclass(frozen=True)
class Dataset:
    """What a network gives for a few images, and the images.

    Attributes:
        embeddings: n × d.
        logits: n × 7.
        labels: Class of each image, (n,).
        pixels: n × 16, whatever the network.
    """

    embeddings: np.ndarray
    logits: np.ndarray
    labels: np.ndarray
    pixels: np.ndarray

    def arrays(self) -> dict[str, object]:
        """By the names that scores use, copied."""
        return {
            "embeddings": self.embeddings.copy(),
            "logits": self.logits.copy(),
            "labels": self.labels.copy(),
            "pixels": self.pixels.copy(),
            "forward_pass": ForwardPass(self.embeddings.copy(), self.logits.copy()),
        }


GIVEN = frozenset({"embeddings", "logits", "labels", "pixels", "forward_pass"})


def _gaussian_classes(
    sizes: Sequence[int], n_features: int, noise: float = 1.0, separation: float = 1.5
) -> Dataset:
    """Classes of these sizes around random means, in float64; the pixels have means too."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    means = separation * rng.normal(size=(len(sizes), n_features))
    embeddings = means[labels] + noise * rng.normal(size=(len(labels), n_features))
    pixel_means = rng.uniform(0.3, 0.7, size=(len(sizes), _PIXELS))
    pixels = pixel_means[labels] + 0.3 * rng.uniform(-1, 1, size=(len(labels), _PIXELS))
    return Dataset(embeddings, _logits(embeddings), labels, pixels.astype(np.float32))


def _logits(embeddings: np.ndarray) -> np.ndarray:
    """What a linear head makes of the embeddings."""
    head = np.random.default_rng(1).normal(size=(embeddings.shape[1], _SOURCE_CLASSES))
    return embeddings @ head / np.sqrt(embeddings.shape[1])


def _with_embeddings(dataset: Dataset, embeddings: np.ndarray) -> Dataset:
    return replace(dataset, embeddings=embeddings, logits=_logits(embeddings))


@cache
def ordinary() -> Dataset:
    """140 images of five classes that overlap, 110 features: here every score has a value."""
    return _gaussian_classes((32, 27, 27, 27, 27), 110, separation=0.25)


def few_images() -> Dataset:
    """Fewer images than features."""
    return _gaussian_classes((4, 4, 4), 30)


def square() -> Dataset:
    """As many images as features."""
    return _gaussian_classes((8, 8, 8), 24)


def two_classes() -> Dataset:
    """Two classes."""
    return _gaussian_classes((15, 15), 6)


def unbalanced() -> Dataset:
    """Classes of 40, 8, 4 and 2 images."""
    return _gaussian_classes((40, 8, 4, 2), 6)


def missing_class_id() -> Dataset:
    """Class ids 2, 3, 5 and 11."""
    dataset = _gaussian_classes((10, 10, 10, 10), 6)
    return replace(dataset, labels=np.array([2, 3, 5, 11])[dataset.labels])


def singleton_class() -> Dataset:
    """One class has a single image."""
    return _gaussian_classes((14, 14, 1), 5)


def all_singletons() -> Dataset:
    """Every image is a class of its own."""
    return _gaussian_classes((1,) * 12, 5)


def duplicates() -> Dataset:
    """Half of the images are there twice, some of them under two classes."""
    dataset = _gaussian_classes((12, 12, 12), 6)
    place = np.concatenate([np.arange(18), np.arange(18)])
    labels = dataset.labels[place]
    labels[-3:] = (labels[-3:] + 1) % 3
    return Dataset(dataset.embeddings[place], dataset.logits[place], labels, dataset.pixels[place])


def constant_features() -> Dataset:
    """Three of eight features are the same for all images: 0, 1 and 0.1."""
    dataset = _gaussian_classes((12, 12, 12), 8)
    embeddings = dataset.embeddings.copy()
    embeddings[:, [1, 4, 6]] = (0.0, 1.0, 0.1)
    return _with_embeddings(dataset, embeddings)


def one_feature() -> Dataset:
    """One feature."""
    return _gaussian_classes((12, 12, 12), 1)


def perfect_separation() -> Dataset:
    """Classes far apart and tight: a thousand times as far as they are wide."""
    return _gaussian_classes((12, 12, 12), 6, noise=0.05, separation=50.0)


def collapsed_classes() -> Dataset:
    """Every image lies on its class mean."""
    return _gaussian_classes((12, 12, 12), 6, noise=0.0)


def zero_rows() -> Dataset:
    """Some embeddings are all zero, as behind a dead ReLU."""
    dataset = _gaussian_classes((12, 12, 12), 6)
    embeddings = np.maximum(dataset.embeddings, 0)
    embeddings[::5] = 0
    return _with_embeddings(dataset, embeddings)


def all_alike() -> Dataset:
    """All embeddings are equal."""
    dataset = _gaussian_classes((12, 12, 12), 6)
    return _with_embeddings(dataset, np.full_like(dataset.embeddings, 0.1))


def one_class() -> Dataset:
    """All images are of one class."""
    return _gaussian_classes((20,), 6)


def one_image() -> Dataset:
    """A single image."""
    return _gaussian_classes((1,), 6)


CASES: dict[str, Callable[[], Dataset]] = {
    case.__name__: case
    for case in (
        *(ordinary, few_images, square, two_classes, unbalanced, missing_class_id),
        *(singleton_class, all_singletons, duplicates, constant_features, one_feature),
        *(perfect_separation, collapsed_classes, zero_rows, all_alike, one_class, one_image),
    )
}
