"""What one finished model hands to the store."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True)
class ScoreKey:
    """Everything that a stored score value depends on."""

    model: str
    weights: str
    seed: int
    dataset: str
    score: str
    options: str  # JSON, all options, keys sorted
    version: int
    fingerprint: str


@dataclass(frozen=True)
class ScoreRow:
    """A value, with its interval if it has one; or the reason why there is none."""

    key: ScoreKey
    value: float | None
    undefined_because: str | None
    seconds: float
    low: float | None = None
    high: float | None = None
    precision: str = "fp32"


@dataclass(frozen=True)
class Attempt:
    """One try at a model, successful or not."""

    model: str
    weights: str
    seed: int
    started: datetime  # UTC
    seconds: float
    outcome: str = "ok"
    device: str | None = None
    peak_rss_bytes: int | None = None
    error_type: str | None = None
    message: str | None = None
    traceback: str | None = None
    relief: str | None = None
    missing: str | None = None


class Failure(NamedTuple):
    """A network whose evaluation failed, and a digest of the scores that it failed to give."""

    model: str
    weights: str
    seed: int
    missing: str | None


@dataclass(frozen=True)
class EmbeddingsRow:
    """Arrays of a forward pass that were kept in a file, and everything they depend on."""

    model: str
    weights: str
    seed: int
    dataset: str
    fingerprint: str
    file: str
    n_images: int
    width: int
    n_outputs: int
    dtype: str
    precision: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Trust:
    """Accuracy measured on the dataset against the published one."""

    model: str
    dataset: str
    measured: float
    published: float
    n_images: int
    low: float
    high: float

    @property
    def trusted(self) -> bool:
        """Whether the published accuracy lies in the interval around the measured one."""
        return self.low <= self.published <= self.high


@dataclass(frozen=True)
class ModelRow:
    """A model's facts and published accuracies."""

    model: str
    family: str
    params: int | None
    macs: int | None
    activations: int | None
    image_size: int
    pretraining: str | None
    distilled: bool | None
    licence: str | None
    label_space: str
    details: str  # JSON
    accuracies: tuple[tuple[str, str, float], ...]  # benchmark, metric, value
    source: str


@dataclass(frozen=True)
class DatasetRow:
    """A dataset's identity."""

    dataset: str
    name: str
    digest: str
    n_images: int
    n_classes: int
    recipe: str  # JSON


@dataclass(frozen=True)
class RunRow:
    """A run that begins."""

    run: str
    job: str
    job_text: str
    command: str
    started: datetime  # UTC
    git_commit: str | None
    versions: str  # JSON
    host: str


@dataclass(frozen=True)
class Outcome:
    """All that one model's evaluation gave; stored in one transaction.

    Attributes:
        attempt: What happened.
        scores: Values, and reasons why there is none.
        trust: Measured against published accuracy.
        embeddings: Arrays that were kept.
        during: What a worker did when it died; not stored by itself.
    """

    attempt: Attempt
    scores: tuple[ScoreRow, ...] = ()
    trust: Trust | None = None
    embeddings: EmbeddingsRow | None = None
    during: str | None = None
