"""The answer to "which network for my images?": typed, as JSON, as a table."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from zoo_eval.ranking.candidates import LeftOut
from zoo_eval.ranking.standing import Separation

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RankedModel:
    """One network of the race.

    Attributes:
        place: 1 is the best.
        model: `architecture.tag`.
        family: timm's module of the architecture.
        licence: Of its weights, as the manifest says.
        params: Parameters.
        macs: Multiply-accumulates for one image.
        published: ImageNet top-1 accuracy that its authors publish.
        rounds: How many rounds it was in; the figures below are of the last of them.
        n_images: Images that it was judged by.
        accuracy: Of a linear probe on images that it was not fitted to, predicted by leaving
            each image out in turn.
        accuracy_low: 95 % interval (Wilson): what other images of these classes could have
            given. Not in it: a probe fitted to more images is better, and so may a network be
            whose every weight is trained on.
        accuracy_high: Its upper end.
        chance_top: How often it is among the first k when the images are drawn again.
        chance_best: How often it is the first.
        group: Networks of one number cannot be told apart from the best of them with these
            images; None for those that left before the last round.
        images_per_second: Measured here, in one pass over the images.
        pareto_params: No other network has as few parameters and a higher accuracy.
        pareto_speed: No other network is as fast and has a higher accuracy.
        scores: What else was computed, by name.
    """

    place: int
    model: str
    family: str
    licence: str | None
    params: int | None
    macs: int | None
    published: float | None
    rounds: int
    n_images: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    chance_top: float | None
    chance_best: float | None
    group: int | None
    images_per_second: float | None
    pareto_params: bool
    pareto_speed: bool
    scores: Mapping[str, float]


@dataclass(frozen=True)
class RoundNote:
    """What happened in a round.

    Attributes:
        images_per_class: At most.
        n_images: In total.
        entered: Networks that were to be evaluated.
        evaluated: Networks that were, now or before.
        went_on: Networks that could still be in the top k after it.
        seconds: That it took, now.
    """

    images_per_class: int
    n_images: int
    entered: int
    evaluated: int
    went_on: int
    seconds: float


@dataclass(frozen=True)
class PlainChoice:
    """What somebody would take who looks at no image.

    Attributes:
        model: The network.
        by: Why: its `imagenet_top1`, or its `params` where the manifest has no accuracy of it.
        place: Where it came in the race; None if it was not evaluated.
        accuracy: Predicted for it, as for the others.
        chance_top: Of being in the top k.
    """

    model: str
    by: str
    place: int | None
    accuracy: float | None
    chance_top: float | None


@dataclass(frozen=True)
class Ranking:
    """Networks for a dataset, best first, and how sure that is.

    Attributes:
        source: Where the images are.
        dataset: Name and digest of the images of the last round.
        classes: Their classes; none if they have no labels.
        manifest: Where the networks are from.
        top: k.
        rows: The networks that were evaluated.
        left_out: The others, and why.
        rounds: What the race did.
        ended: Why it ended: `decided`, `all images`, `budget`.
        plain_choice: What would have been taken without it.
        separation: What it would take to tell the first two apart.
        seconds: That it took, this time.
        budget_s: That it might take; None: as many as it needs.
        snippet: Python that turns an image into the best network's embedding, with timm alone.
        store: Where its results are.
    """

    source: str
    dataset: str
    classes: tuple[str, ...]
    manifest: str
    top: int
    rows: tuple[RankedModel, ...]
    left_out: tuple[LeftOut, ...]
    rounds: tuple[RoundNote, ...]
    ended: str
    plain_choice: PlainChoice
    separation: Separation | None
    seconds: float
    budget_s: float | None
    snippet: str = field(repr=False)
    store: str = field(repr=False)

    @property
    def labelled(self) -> bool:
        """Whether the images have labels: without, only label-free scores could be computed."""
        return bool(self.classes)

    @property
    def best(self) -> RankedModel:
        """The first."""
        return self.rows[0]

    def to_json(self) -> str:
        """All of it as JSON; what is not known is null."""
        return json.dumps(
            {"labelled": self.labelled, **asdict(self)}, ensure_ascii=False, allow_nan=False
        )

    def to_frame(self) -> "pd.DataFrame":
        """The networks as a pandas frame, one column per attribute and score."""
        import pandas as pd

        rows = [asdict(row) for row in self.rows]
        return pd.DataFrame([{**row, **row.pop("scores")} for row in rows])
