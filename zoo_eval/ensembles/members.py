"""Networks that saw the same images, with probabilities fit to be averaged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax

from zoo_eval.ensembles.halves import Halves, halves
from zoo_eval.ensembles.temperature import temperature
from zoo_eval.errors import InputError

Probabilities = Float[np.ndarray, "n classes"]


@dataclass(frozen=True)
class Members:
    """Networks on the same images.

    Attributes:
        labels: Class of each image, as the networks' heads count them.
        plain: Softmax of each network's logits, in float32.
        calibrated: The same after division by the network's temperature.
        temperatures: Of each network, fitted to the choosing half.
        halves: Images that choose, and images that judge what was chosen.
    """

    labels: Int[np.ndarray, " n"]
    plain: Mapping[str, Probabilities]
    calibrated: Mapping[str, Probabilities]
    temperatures: Mapping[str, float]
    halves: Halves

    @property
    def names(self) -> list[str]:
        """Of the networks, in their order."""
        return list(self.plain)

    @classmethod
    def of(
        cls, logits: Mapping[str, Float[np.ndarray, "_ _"]], labels: Int[np.ndarray, " n"]
    ) -> "Members":
        """Calibrate networks on one half of the images.

        Args:
            logits: By network, one row per image.
            labels: Class of each image.

        Raises:
            InputError: there are fewer than two networks or images, or a network has another
                number of images or classes than the first.
        """
        if len(logits) < 2:
            raise InputError(f"An ensemble takes two networks, but there are {len(logits)}.")
        shapes = {name: each.shape for name, each in logits.items()}
        first = next(iter(shapes))
        for name, shape in shapes.items():
            if shape != shapes[first] or shape[0] != len(labels):
                raise InputError(
                    f"An ensemble takes logits of the same images and classes: there are "
                    f"{len(labels)} labels, {first} has {shapes[first]} and {name} {shape}."
                )
        cut = halves(labels)
        ts = {n: temperature(z[cut.choosing], labels[cut.choosing]) for n, z in logits.items()}
        return cls(
            labels=labels,
            plain={name: _softmax(z) for name, z in logits.items()},
            calibrated={name: _softmax(z / ts[name]) for name, z in logits.items()},
            temperatures=ts,
            halves=cut,
        )

    def both(self) -> Iterator[tuple[str, Mapping[str, Probabilities]]]:
        """The probabilities as they are, and calibrated, with a word for each."""
        yield "plain", self.plain
        yield "calibrated", self.calibrated


def _softmax(logits: Float[np.ndarray, "n classes"]) -> Probabilities:
    return np.asarray(softmax(logits.astype(np.float64), axis=1), np.float32)
