"""Where each page lies: the only thing in which the static site and the service differ."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from zoo_eval.report.pages.query import LeaderboardQuery


@runtime_checkable
class Links(Protocol):
    """Addresses of pages, to be written into other pages.

    An empty address means that there is no such page; its name is then plain text.
    """

    @property
    def live(self) -> bool:
        """Whether a server answers: then views are addresses that it sorts and filters.

        Else the whole table is in the page, and a script sorts and filters it.
        """
        ...

    @property
    def truth(self) -> str:
        """The accuracy that was asked for; forms pass it on. Empty: the usual one."""
        ...

    def judged_by(self, truth: str) -> str:
        """The page that these links stand on, with scores judged by another accuracy."""
        ...

    def leaderboard(self, query: LeaderboardQuery) -> str:
        """The leaderboard as the query says."""
        ...

    def download(self, query: LeaderboardQuery, kind: str) -> str:
        """The rows and columns of a view as a file, `csv` or `parquet`."""
        ...

    def scores(self) -> str:
        """Every score."""
        ...

    def score(self, label: str) -> str:
        """One score."""
        ...

    def model(self, name: str) -> str:
        """One model."""
        ...

    def predictions(self, method: str) -> str:
        """Accuracy as a method predicts it from the scores."""
        ...

    def ensembles(self) -> str:
        """What the networks are worth together."""
        ...

    def compare(self, models: Sequence[str] = (), scores: Sequence[str] = ()) -> str:
        """Some models, or two scores, side by side; without both the page that asks which."""
        ...

    def rank(self) -> str:
        """Which network for some images."""
        ...

    def runs(self) -> str:
        """Runs and queue."""
        ...

    def about(self) -> str:
        """What made these pages, and how to read them."""
        ...

    def asset(self, name: str) -> str:
        """A style sheet or a script."""
        ...

    def figure(self, name: str) -> str:
        """A picture for papers, such as `forest.svg`."""
        ...
