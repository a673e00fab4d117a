"""Addresses of the service's pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from zoo_eval.report.pages.query import LeaderboardQuery


@dataclass(frozen=True)
class PageLinks:
    """Paths from the service's root; see `zoo_eval.report.pages.links.Links`.

    Attributes:
        live: The service sorts and filters.
    """

    live: bool = True

    def leaderboard(self, query: LeaderboardQuery) -> str:
        """The view."""
        return _with("/", query.to_string())

    def download(self, query: LeaderboardQuery, kind: str) -> str:
        """The view's rows and columns as a file."""
        return _with(f"/leaderboard.{kind}", query.to_string())

    def scores(self) -> str:
        """Every score."""
        return "/scores"

    def score(self, label: str) -> str:
        """One score."""
        return f"/scores/{quote(label, safe='')}"

    def model(self, name: str) -> str:
        """One model."""
        return f"/models/{quote(name, safe='')}"

    def compare(self, models: Sequence[str] = (), scores: Sequence[str] = ()) -> str:
        """A comparison."""
        pairs = [*(("model", name) for name in models), *(("score", label) for label in scores)]
        return _with("/compare", urlencode(pairs))

    def runs(self) -> str:
        """Runs and queue."""
        return "/runs"

    def about(self) -> str:
        """Provenance."""
        return "/about"

    def asset(self, name: str) -> str:
        """A style sheet or a script."""
        return f"/static/{name}"

    def figure(self, name: str) -> str:
        """The service draws no pictures for papers; `zoo-eval report` does."""
        del name
        return ""


def _with(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
