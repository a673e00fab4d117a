"""A dataset's images as one model wants them, in batches."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from zoo_eval.datasets.dataset import Dataset
from zoo_eval.datasets.preprocessing import Preprocessing
from zoo_eval.datasets.resized import resized, resizing
from zoo_eval.quantities import Precision
from zoo_eval.transforms.images import Alteration

T = TypeVar("T")


class ModelImages:
    """All images of a dataset, transformed for one model; can be gone through many times.

    Args:
        dataset: The images.
        preprocessing: Size, crop, interpolation and normalisation.
        batch_size: Images per batch.
        device: Where the batches should lie.
        precision: In which a network is to compute with them; they themselves are float32.
    """

    def __init__(
        self,
        dataset: Dataset,
        preprocessing: Preprocessing,
        batch_size: int,
        device: torch.device,
        precision: Precision = "fp32",
    ) -> None:
        self._dataset = dataset
        self._preprocessing = preprocessing
        self.batch_size = batch_size
        self.device = device
        self.precision = precision

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[Tensor]:
        """Batches in order, channels last in memory."""
        batches = self._batches(None)
        # A GPU computes while the next batch is being made; a CPU would only be shared.
        return one_ahead(batches) if self.device.type == "cuda" else batches

    def altered(self, alteration: Alteration) -> Iterator[Tensor]:
        """The same batches; each image altered as it was decoded, before it is resized."""
        return self._batches(alteration)

    def _batches(self, alteration: Alteration | None) -> Iterator[Tensor]:
        pixels = resized(self._dataset, self._preprocessing, alteration)
        for start in range(0, len(self), self.batch_size):
            part = range(start, min(start + self.batch_size, len(self)))
            yield self._batch(
                self._resize(part, alteration) if pixels is None else pixels[part.start : part.stop]
            )

    def take(self, places: Sequence[int]) -> Tensor:
        """The images at these places, as one batch, channels first in memory."""
        return self._batch(self._resize(places)).contiguous()

    def _resize(self, places: Sequence[int], alteration: Alteration | None = None) -> np.ndarray:
        resize = resizing(self._dataset, self._preprocessing, alteration)
        return np.stack([resize(self._dataset[place]) for place in places])

    def _batch(self, pixels: np.ndarray) -> Tensor:
        # A copy, as a mapped file cannot be written to, and torch warns of that. Bytes are sent
        # to the device, floats made there.
        batch = torch.from_numpy(np.array(pixels))
        if self.device.type == "cuda":
            batch = batch.pin_memory().to(self.device, non_blocking=True)
        return normalised(batch.to(self.device), self._preprocessing)


def batches_of(
    images: Iterable[Image.Image],
    preprocessing: Preprocessing,
    batch_size: int,
    device: torch.device,
) -> Iterator[Tensor]:
    """Batches of RGB images that are no dataset's, as `ModelImages` would make them."""
    resize = preprocessing.resize(cropped=False)
    left = iter(images)
    while part := [resize(image) for image in islice(left, batch_size)]:
        yield normalised(torch.from_numpy(np.stack(part)).to(device), preprocessing)


def normalised(
    pixels: UInt8[Tensor, "n height width 3"], preprocessing: Preprocessing
) -> Float[Tensor, "n 3 height width"]:
    """What `Preprocessing.resize` gave, to [0, 1], less the mean, over the deviation.

    The same operations in the same order as torchvision's, hence the same bits. The result lies
    in memory as the pixels do, channels last.
    """
    batch = pixels.permute(0, 3, 1, 2).to(torch.float32).div_(255)
    mean, std = (
        torch.tensor(v, device=batch.device).view(3, 1, 1)
        for v in (preprocessing.mean, preprocessing.std)
    )
    return batch.sub_(mean).div_(std)


def one_ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items; while one is used, the next is made in a thread."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, iterator, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, iterator, None)
            yield item


def balanced_places(labels: Sequence[int], n: int, seed: int) -> list[int]:
    """Places of n images with all classes equally often, the same for every model.

    Classes take turns, so that n images of C classes hold ⌊n/C⌋ or ⌈n/C⌉ of each; within a
    class the images come in an order drawn with the seed. Fewer come back if the dataset has
    fewer.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    turn: dict[int, int] = {}
    order: list[tuple[int, int, int]] = []
    for place in shuffled.tolist():
        label = labels[place]
        turn[label] = turn.get(label, -1) + 1
        order.append((turn[label], label, place))
    return [place for _, _, place in sorted(order)[:n]]
