"""What a check is, and what comes of one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from zoo_eval.conformance.process import process_kept
from zoo_eval.scores import OptionValue

Options = Mapping[str, OptionValue]
# A check of either kind of score is a check of this kind.
S = TypeVar("S", contravariant=True)


class Violation(Exception):
    """A score did not keep a promise; the message says what was seen."""


@dataclass(frozen=True)
class Check(Generic[S]):
    """One promise that a score must keep.

    Attributes:
        name: Where it belongs and what it is about, such as "arrays.duplicates".
        promise: What the score must do, without a full stop.
        look: Takes the score and its options and returns what was seen; raises `Violation`.
        case: Name for `inputs`, where the check is one call with these inputs.
    """

    name: str
    promise: str
    look: Callable[[S, Options], str]
    case: str | None = None

    def run(self, score: S, options: Options) -> str:
        """What was seen. Whatever the score does to the process is taken back.

        Raises:
            Violation: the promise is not kept.
        """
        with process_kept():
            return self.look(score, options)


@dataclass(frozen=True)
class Finding:
    """What came of a check.

    Attributes:
        name: Name of the check.
        promise: What the score had to do.
        passed: Whether it did.
        seen: The value or reason that came out, or what the score did instead.
        again: A line of Python that shows it again.
    """

    name: str
    promise: str
    passed: bool
    seen: str
    again: str
