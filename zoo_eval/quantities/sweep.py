"""A transform at each of its levels, with what the network answers there."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from zoo_eval.errors import NotFiniteError
from zoo_eval.quantities.forward import ForwardPass, forward_pass
from zoo_eval.quantities.response import Response, response
from zoo_eval.transforms.transform import Changed, Transform

HeadLabels = np.ndarray | None


@dataclass(frozen=True)
class Sweep:
    """What a network answers while it or its images are changed more and more.

    Attributes:
        transform: What is done.
        untouched: The response to no change.
        transformed: One response per level of the transform.
        controls: One response per level to a random change that is as large; none if the
            transform is itself random.
    """

    transform: Transform
    untouched: Response
    transformed: tuple[Response, ...]
    controls: tuple[Response, ...]


def sweep(
    transform: Transform,
    model: nn.Module,
    images: Iterable[Tensor],
    before: ForwardPass,
    head_labels: HeadLabels,
) -> Sweep:
    """Evaluate a network on the same images at each level of a transform.

    Args:
        transform: What is done.
        model: The network.
        images: The dataset's images, in batches.
        before: The pass of the untouched network over them.
        head_labels: Class ids as the network's head counts them; None if it knows others.
    """
    untouched = response(before, before, head_labels)

    def answers(level: float, changed: Changed) -> Response:
        if level == transform.none:
            return untouched
        try:
            with changed as changed_images:
                after = forward_pass(model, changed_images)
        except NotFiniteError:
            after = None
        return response(before, after, head_labels)

    transformed: list[Response] = []
    controls: list[Response] = []
    for level in transform.levels:
        variants = transform.at(model, images, level)
        transformed.append(answers(level, variants.transformed))
        if variants.control is not None:
            controls.append(answers(level, variants.control))
    return Sweep(transform, untouched, tuple(transformed), tuple(controls))
