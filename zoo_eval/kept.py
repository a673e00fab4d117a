"""Keeps the arrays of a pass over the dataset, and uses those that are kept."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from zoo_eval.errors import ArrayError
from zoo_eval.plan import Unit
from zoo_eval.quantities.forward import ForwardPass
from zoo_eval.settings import Settings
from zoo_eval.store import EmbeddingsRow


class Kept(NamedTuple):
    """Arrays from a file, and the precision in which they were computed."""

    forward_pass: ForwardPass
    precision: str


def read_kept(unit: Unit, settings: Settings) -> Kept | None:
    """The arrays of a unit, if there are any and they are what was written.

    A file that is missing, cut short or changed is as good as none: the arrays are computed
    again and, if the job keeps arrays, written anew.
    """
    if settings.arrays is None or unit.kept is None:
        return None
    try:
        arrays = settings.arrays.read(unit.kept)
    except ArrayError:
        return None
    return Kept(ForwardPass(arrays.embeddings, arrays.logits), unit.kept.precision)


def keep(
    unit: Unit,
    settings: Settings,
    found: ForwardPass,
    head_labels: Int[np.ndarray, " n"] | None,
) -> EmbeddingsRow | None:
    """Write the arrays of a unit, if the job keeps arrays.

    Args:
        unit: The network.
        settings: Where arrays are kept, and whether.
        found: Its pass over the dataset.
        head_labels: Class ids as its head counts them; None if it knows others.

    Raises:
        ArrayError: the folder cannot be written, or its disk is full.
    """
    if settings.arrays is None or not settings.keep_arrays:
        return None
    return settings.arrays.write(
        unit.arrays, found.embeddings, found.logits, settings.precision, head_labels
    )
