"""What the pages show of the newest snapshot, with the newest statistics there are."""

import time

from zoo_eval.errors import ReportError
from zoo_eval.report.definitions import definitions
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.provenance import provenance
from zoo_eval.service.live import Live
from zoo_eval.service.snapshot import Snapshot
from zoo_eval.service.statistics import Found, Statistics

# The statistics of a small store are there in a moment; those of a large one a page does not
# wait for.
_PATIENCE_S = 0.5
_POLL_S = 0.02
_COMPUTING = (
    "The correlations are being computed; load this page again in a moment. The models and their "
    "scores are here already."
)


class Zoos:
    """Makes the zoo that pages show, once for each state of store and statistics.

    Args:
        live: The newest snapshot.
        statistics: The newest correlations.
    """

    def __init__(self, live: Live, statistics: Statistics) -> None:
        self._live, self._statistics = live, statistics
        self._made = provenance("zoo-eval serve")
        self._of: tuple[Found | Snapshot, Zoo] | None = None

    def newest(self) -> Zoo | None:
        """The zoo; None as long as the store has no scores."""
        snapshot = self._live.snapshot
        if snapshot.data is None:
            return None
        found, note = self._found()
        basis = found or snapshot
        if self._of is not None and self._of[0] is basis and self._of[1].note == note:
            return self._of[1]
        # Data and statistics of one state: those of a newer one follow when both are there.
        data = (found.snapshot.data if found else None) or snapshot.data
        zoo = Zoo(data, found.findings if found else None, definitions(), self._made, note)
        self._of = (basis, zoo)
        return zoo

    def tag(self) -> str | None:
        """An ETag for pages of the newest zoo; None while better statistics are on their way."""
        found = next(iter(self._statistics.known().values()), None)
        current = found is not None and found.snapshot.state == self._live.snapshot.state
        return self._live.tag if current else None

    def _found(self) -> tuple[Found | None, str]:
        try:
            truth = self._statistics.truth(None)
        except ReportError:
            return None, ""
        end = time.monotonic() + _PATIENCE_S
        while (found := self._statistics.of(truth)) is None and time.monotonic() < end:
            time.sleep(_POLL_S)
        return found, "" if found else _COMPUTING
