"""How a race went, before it is made an answer of."""

from dataclasses import dataclass

from zoo_eval.datasets import Dataset
from zoo_eval.ranking.answer import RoundNote
from zoo_eval.ranking.candidates import LeftOut
from zoo_eval.ranking.judging import Judged
from zoo_eval.ranking.round_run import RoundResult


@dataclass(frozen=True)
class Finish:
    """How a race went.

    Attributes:
        judged: What each round says, the first first.
        datasets: The images of each.
        last: What the last of them left: images and embeddings.
        rounds: What happened in each.
        left_out: Networks that no round judged, and why.
        ended: Why it ended: `decided`, `all images`, `budget`.
        seconds: That it took.
    """

    judged: tuple[Judged, ...]
    datasets: tuple[Dataset, ...]
    last: RoundResult
    rounds: tuple[RoundNote, ...]
    left_out: tuple[LeftOut, ...]
    ended: str
    seconds: float
