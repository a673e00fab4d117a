"""Predicts the classes of new images with an exported probe."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from zoo_eval.datasets.rgb import rgb, rgb_of, undisturbed
from zoo_eval.errors import DatasetError
from zoo_eval.ranking.accuracy import Accuracy
from zoo_eval.ranking.takeaway.exported import read_exported
from zoo_eval.ranking.takeaway.network import Network
from zoo_eval.ranking.takeaway.probe import Probe

Picture = str | Path | bytes | Image.Image


@dataclass(frozen=True)
class Predictions:
    """Of some images, in their order.

    Attributes:
        labels: The most probable class of each.
        probabilities: One row per image, one column per class.
        classes: Of the columns.
    """

    labels: tuple[str, ...]
    probabilities: Float[np.ndarray, "n classes"]
    classes: tuple[str, ...]


class Predictor:
    """A network with a linear probe on its embeddings.

    Args:
        network: Turns images into embeddings.
        probe: Turns embeddings into probabilities.
        accuracy: What to expect on images like those that it was fitted on.
    """

    def __init__(self, network: Network, probe: Probe, accuracy: Accuracy) -> None:
        self._network, self._probe = network, probe
        self.accuracy = accuracy

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that it tells apart."""
        return self._probe.classes

    def predict(self, images: Iterable[Picture]) -> Predictions:
        """The class of each image.

        Args:
            images: Paths, encoded images, or PIL's; read a batch at a time.

        Raises:
            DatasetError: an image cannot be read.
            ModelError: the network cannot be built, or its weights are not those it was fitted
                with.
        """
        if isinstance(images, (str, bytes, Path)):
            raise DatasetError("predict takes a list of images; put brackets around a single one.")
        pictures = list(images)
        probabilities = np.empty((0, len(self.classes)))
        if pictures:
            embeddings = self._network.embeddings(map(_decoded, pictures, range(len(pictures))))
            probabilities = self._probe.probabilities(embeddings)
        labels = tuple(self.classes[place] for place in probabilities.argmax(axis=1))
        return Predictions(labels, probabilities, self.classes)


def load_probe(folder: str | Path, *, device: str = "auto") -> Predictor:
    """Read a probe that `zoo-eval rank --export` wrote.

    Args:
        folder: Where it wrote it.
        device: Where the network computes; `auto` is the first GPU, or the CPU.

    Raises:
        ProbeError: a file is missing, damaged, or of a later format.
    """
    folder = Path(folder)
    table, probe = read_exported(folder)
    network = Network(table.line(folder), table.preprocessing, device)
    return Predictor(network, probe, table.accuracy)


def _decoded(picture: Picture, place: int) -> Image.Image:
    try:
        with undisturbed():
            if isinstance(picture, Image.Image):
                return rgb_of(picture)
            content = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
            return rgb(content).image
    except (OSError, ValueError, DatasetError) as error:
        name = str(picture) if isinstance(picture, (str, Path)) else f"number {place}"
        raise DatasetError(f"Image {name} cannot be read: {error}.") from error
