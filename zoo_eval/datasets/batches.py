"""A dataset's images as one model wants them, in batches."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from zoo_eval.datasets.dataset import Dataset
from zoo_eval.datasets.preprocessing import Preprocessing


class ModelImages:
    """All images of a dataset, transformed for one model; can be gone through many times.

    Args:
        dataset: The images.
        preprocessing: Size, crop, interpolation and normalisation.
        batch_size: Images per batch.
        device: Where the batches should lie.
    """

    def __init__(
        self, dataset: Dataset, preprocessing: Preprocessing, batch_size: int, device: torch.device
    ) -> None:
        self._dataset = dataset
        self._transform = preprocessing.transform(cropped=dataset.cropped)
        self._batch_size = batch_size
        self.device = device

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[Tensor]:
        for start in range(0, len(self), self._batch_size):
            yield self.take(range(start, min(start + self._batch_size, len(self))))

    def take(self, places: Sequence[int]) -> Tensor:
        """The images at these places, as one batch."""
        batch = torch.stack([self._transform(self._dataset[place]) for place in places])
        return batch.to(self.device)


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
