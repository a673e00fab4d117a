"""Who is told how a race goes."""

from zoo_eval.drive import Ended
from zoo_eval.ranking.answer import RoundNote
from zoo_eval.ranking.judging import Judged
from zoo_eval.ranking.race_plan import RacePlan
from zoo_eval.runner import Prepared


class Watcher:
    """Is told how a race goes; this one does not care."""

    def planned(self, plan: RacePlan) -> None:
        """Before anything is computed."""

    def begins(self, number: int, prepared: Prepared, without_time: int) -> None:
        """A round begins; the first is 1. For so many networks the budget is too short."""

    def evaluated(self, ended: Ended) -> None:
        """A network was evaluated, and its results are stored."""

    def judged(self, number: int, note: RoundNote, judged: Judged) -> None:
        """A round is over."""
