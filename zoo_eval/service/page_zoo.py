"""What the pages show of the newest snapshot, with the newest statistics there are."""

import time
from collections import OrderedDict

from zoo_eval.errors import ReportError
from zoo_eval.report.definitions import definitions
from zoo_eval.report.findings import choose_truth
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.provenance import provenance
from zoo_eval.service.live import Live
from zoo_eval.service.snapshot import Snapshot
from zoo_eval.service.statistics import Found, Statistics

# The statistics of a small store are there in a moment; those of a large one a page does not
# wait for.
_PATIENCE_S = 0.5
_POLL_S = 0.02
# Accuracies whose zoos are kept: each has ranks of its own.
_MOST = 12
_COMPUTING = (
    "The correlations are being computed; load this page again in a moment. The models and their "
    "scores are here already."
)


class Zoos:
    """Makes the zoo that pages show, once for each accuracy and state of store and statistics.

    Args:
        live: The newest snapshot.
        statistics: The newest correlations.
    """

    def __init__(self, live: Live, statistics: Statistics) -> None:
        self._live, self._statistics = live, statistics
        self._made = provenance("zoo-eval serve")
        self._of: OrderedDict[str, tuple[Found | Snapshot, Zoo]] = OrderedDict()

    def newest(self, truth: str = "") -> Zoo | None:
        """The zoo; None as long as the store has no scores.

        Args:
            truth: The accuracy to judge by; empty: that of most models.

        Raises:
            ReportError: no model has this accuracy.
        """
        snapshot = self._live.snapshot
        if snapshot.data is None:
            return None
        if truth:
            choose_truth(snapshot.data, truth)
        found, note = self._found(truth)
        basis = found or snapshot
        before = self._of.get(truth)
        if before is not None and before[0] is basis and before[1].note == note:
            return before[1]
        # Data and statistics of one state: those of a newer one follow when both are there.
        data = (found.snapshot.data if found else None) or snapshot.data
        findings = found.findings if found else None
        zoo = Zoo(data, findings, definitions(), self._made, note, truth)
        self._of[truth] = (basis, zoo)
        self._of.move_to_end(truth)
        while len(self._of) > _MOST:
            self._of.popitem(last=False)
        return zoo

    @property
    def state(self) -> str:
        """Names the store's newest content."""
        return self._live.snapshot.state

    def tag(self, truth: str = "") -> str | None:
        """An ETag for pages of the newest zoo; None while better statistics are on their way."""
        chosen = truth or next(iter(self._statistics.truths()), "")
        found = self._statistics.known().get(chosen)
        current = found is not None and found.snapshot.state == self._live.snapshot.state
        return self._live.tag if current else None

    def _found(self, truth: str) -> tuple[Found | None, str]:
        try:
            chosen = self._statistics.truth(truth or None)
        except ReportError:
            return None, ""
        end = time.monotonic() + _PATIENCE_S
        while (found := self._statistics.of(chosen)) is None and time.monotonic() < end:
            time.sleep(_POLL_S)
        return found, "" if found else _COMPUTING
