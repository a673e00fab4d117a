"""What the pages show: everything that was read and computed, with a few views of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from zoo_eval.report.board import SPEED, TEXTS, board_of, in_words
from zoo_eval.report.collect import BASELINES, ReportData
from zoo_eval.report.definitions import Definition
from zoo_eval.report.ensembles import Ensembles
from zoo_eval.report.findings import Findings, known_truths
from zoo_eval.report.frames import Frame, Series
from zoo_eval.report.provenance import Provenance

# As many families as there are shapes and colours that can be told apart; the rest is one group.
MOST_GROUPS = 7
OTHER = "other"


@dataclass(frozen=True)
class Zoo:
    """Everything that the pages are made from.

    Attributes:
        data: What was read from the store.
        found: The statistics; None if no model that was tried has an accuracy.
        definitions: Scores that are installed here, by name.
        made: What makes the pages.
        note: Why there are no statistics; empty if that is because no model has an accuracy.
        asked: The accuracy to judge by; empty: the one that most models have.
        ensembles: What the networks are worth together; None: it was not asked for.
    """

    data: ReportData
    found: Findings | None
    definitions: Mapping[str, Definition]
    made: Provenance
    note: str = ""
    asked: str = ""
    ensembles: Ensembles | None = None

    @cached_property
    def board(self) -> Frame:
        """One row per model, see `board_of`; texts in words."""
        return in_words(board_of(self.data))

    @property
    def truth(self) -> str:
        """The accuracy that scores are, or will be, judged by; empty if there is none."""
        if self.found:
            return self.found.truth
        return self.asked or next(iter(known_truths(self.data)), "")

    @cached_property
    def truths(self) -> list[str]:
        """Accuracies that some model has, the one that scores are judged by first."""
        known = self.data.accuracies
        names = [str(name) for name in known if known[name].notna().any()]
        return sorted(names, key=lambda name: (name != self.truth, name))

    @cached_property
    def scores(self) -> list[str]:
        """Labels of all scores, baselines too: strongest first, or in their own order."""
        if self.found:
            return [str(label) for label in self.found.correlations.index]
        return [str(label) for label in self.data.scores.columns]

    @cached_property
    def texts(self) -> list[str]:
        """Columns of text in the board."""
        return [name for name in TEXTS if name in self.board]

    @cached_property
    def numbers(self) -> list[str]:
        """Columns of numbers in the board: accuracies, facts, scores."""
        columns = [str(name) for name in self.board if name not in self.texts]
        rank = {name: place for place, name in enumerate([*self.truths, *BASELINES, SPEED])}
        strength = {name: place for place, name in enumerate(self.scores)}
        last = len(strength)
        return sorted(columns, key=lambda n: (rank.get(n, len(rank)), strength.get(n, last)))

    @cached_property
    def groups(self) -> Series:
        """Family of each model, the small ones together as `other`."""
        families = self.board["family"]
        sizes = families.value_counts()
        ordered = sorted(sizes.index, key=lambda name: (-sizes[name], name))
        kept = set(ordered if len(ordered) <= MOST_GROUPS + 1 else ordered[:MOST_GROUPS])
        return families.where(families.isin(list(kept)), OTHER)

    @cached_property
    def group_names(self) -> list[str]:
        """The groups, largest first, `other` last."""
        sizes = self.groups.value_counts()
        return sorted(sizes.index, key=lambda name: (name == OTHER, -sizes[name], name))

    def definition(self, label: str) -> Definition | None:
        """Definition of the score behind a label; None if it is not installed here."""
        columns = self.data.columns
        name = columns["score"].get(label, label)
        return self.definitions.get(name if isinstance(name, str) else label)

    @cached_property
    def signs(self) -> dict[str, int]:
        """Of each score: 1 if higher values are the better ones, -1 if lower."""
        return {label: self._sign(label) for label in self.scores}

    def _sign(self, label: str) -> int:
        """As declared, else as measured here."""
        known = self.definition(label)
        if known is not None and known.higher_is_better is not None:
            return 1 if known.higher_is_better else -1
        rho = self.found.correlations["spearman_rho"].get(label, 0.0) if self.found else 0.0
        return -1 if rho < 0 else 1

    @cached_property
    def ranks(self) -> Frame:
        """Rank of each model in each score and accuracy: 1 for the best, ties share the better one.

        NaN for models without value.
        """
        signs = pd.Series({name: self.signs.get(name, 1) for name in self.numbers})
        return (-self.board[self.numbers] * signs).rank(method="min")

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many models have a value in each column of numbers."""
        counts = self.board[self.numbers].notna().sum()
        return {str(name): int(n) for name, n in counts.items()}

    @cached_property
    def architectures(self) -> dict[str, list[str]]:
        """Models by architecture, the part of their name before the first dot."""
        found: dict[str, list[str]] = {}
        for name in map(str, self.board.index):
            found.setdefault(name.partition(".")[0], []).append(name)
        return found

    @cached_property
    def sizes(self) -> Series:
        """Parameters of each model."""
        board = self.board
        return board["params"] if "params" in board else board[SPEED] * math.nan
