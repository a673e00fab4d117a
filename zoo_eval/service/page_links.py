"""Addresses of the service's pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from zoo_eval.report.pages.query import LeaderboardQuery
from zoo_eval.report.predictions import METHODS


@dataclass(frozen=True)
class PageLinks:
    """Paths from the service's root; see `zoo_eval.report.pages.links.Links`.

    Attributes:
        truth: The accuracy that was asked for, which all pages go on to judge by; empty: the usual
            one.
        here: Path of the page that these links stand on.
        query: What that page was asked for, the accuracy aside.
        live: The service sorts and filters.
    """

    truth: str = ""
    here: str = "/"
    query: tuple[tuple[str, str], ...] = ()
    live: bool = True

    def judged_by(self, truth: str) -> str:
        """The page once more."""
        return _with(self.here, urlencode([*self.query, ("truth", truth)]))

    def leaderboard(self, query: LeaderboardQuery) -> str:
        """The view."""
        return self._judged("/", query.to_string())

    def download(self, query: LeaderboardQuery, kind: str) -> str:
        """The view's rows and columns as a file."""
        return self._judged(f"/leaderboard.{kind}", query.to_string())

    def scores(self) -> str:
        """Every score."""
        return self._judged("/scores")

    def score(self, label: str) -> str:
        """One score."""
        return self._judged(f"/scores/{quote(label, safe='')}")

    def model(self, name: str) -> str:
        """One model."""
        return self._judged(f"/models/{quote(name, safe='')}")

    def compare(self, models: Sequence[str] = (), scores: Sequence[str] = ()) -> str:
        """A comparison."""
        pairs = [*(("model", name) for name in models), *(("score", label) for label in scores)]
        return self._judged("/compare", urlencode(pairs))

    def predictions(self, method: str) -> str:
        """Accuracy as a method predicts it from the scores."""
        query = "" if method == METHODS[0] else urlencode({"method": method})
        return self._judged("/predictions", query)

    def rank(self) -> str:
        """Which network for some images."""
        return "/rank"

    def ensembles(self) -> str:
        """The service reads no kept arrays; `zoo-eval report` does."""
        return ""

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

    def _judged(self, path: str, query: str = "") -> str:
        judged = urlencode({"truth": self.truth}) if self.truth else ""
        return _with(path, "&".join(filter(None, (query, judged))))


def _with(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
