"""Links between the files of the static site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from zoo_eval.report.pages.query import LeaderboardQuery

COMPARED = "compare.html"
TOGETHER = "ensembles.html"


@dataclass(frozen=True)
class SiteLinks:
    """Addresses relative to a page, so that the site may lie in any folder or on any server.

    Attributes:
        model_files: File name, without ending, of each model that has a page.
        score_files: The same of each score.
        figures: File of each figure by name, relative to the site.
        compared: Whether there is a page that compares.
        together: Whether there is a page of ensembles.
        predicted: Methods whose predictions have a page, the first one's first.
        root: Way from the page to the site's folder: empty, or `../`.
        live: See `Links`.
        truth: See `Links`.
    """

    model_files: Mapping[str, str]
    score_files: Mapping[str, str]
    figures: Mapping[str, str]
    compared: bool
    together: bool
    predicted: Sequence[str]
    root: str = ""
    live: bool = False
    truth: str = ""

    def judged_by(self, truth: str) -> str:
        """A site is judged by one accuracy; another is a matter of another report."""
        del truth
        return ""

    def leaderboard(self, query: LeaderboardQuery) -> str:
        """The one page; a script sorts and filters it."""
        del query
        return f"{self.root}index.html"

    def download(self, query: LeaderboardQuery, kind: str) -> str:
        """The file with all models and scores."""
        del query
        return f"{self.root}leaderboard.csv" if kind == "csv" else ""

    def scores(self) -> str:
        """Every score."""
        return f"{self.root}scores.html"

    def score(self, label: str) -> str:
        """One score; empty for those beyond the most pages that were asked for."""
        return self._within("scores", self.score_files.get(label))

    def model(self, name: str) -> str:
        """One model; empty for those beyond the most pages that were asked for."""
        return self._within("models", self.model_files.get(name))

    def predictions(self, method: str) -> str:
        """One of the methods; empty if it predicts nothing."""
        if method not in self.predicted:
            return ""
        first = method == self.predicted[0]
        return f"{self.root}{'predictions' if first else f'predictions-{method}'}.html"

    def ensembles(self) -> str:
        """The page, if it was asked for."""
        return f"{self.root}{TOGETHER}" if self.together else ""

    def compare(self, models: Sequence[str] = (), scores: Sequence[str] = ()) -> str:
        """The one comparison that is there."""
        return f"{self.root}{COMPARED}" if self.compared and not models and not scores else ""

    def rank(self) -> str:
        """Files rank nothing."""
        return ""

    def runs(self) -> str:
        """Runs of the store."""
        return f"{self.root}runs.html"

    def about(self) -> str:
        """Provenance."""
        return f"{self.root}about.html"

    def asset(self, name: str) -> str:
        """A style sheet or a script."""
        return f"{self.root}static/{name}"

    def figure(self, name: str) -> str:
        """A drawing, if there is one."""
        file = self.figures.get(name)
        return f"{self.root}{quote(file)}" if file else ""

    def _within(self, folder: str, slug: str | None) -> str:
        return f"{self.root}{folder}/{quote(slug)}.html" if slug else ""
