"""Every exception that zoo_eval raises on purpose.

ZooEvalError
├── ManifestError            a manifest that cannot be read or does not say what it must
├── JobError                 a job file that asks for something that does not exist
├── DatasetError             images or labels that cannot be used
├── ModelError               a network that cannot be built
│   └── WeightsError         its weights are missing, damaged or unsafe
│       └── DownloadError    they could not be downloaded
│           └── BudgetError  there is no room for them now
├── InputError               an argument of a score or quantity has the wrong shape or content
│   └── NotFiniteError       a network's outputs are NaN or infinite
├── ScoreUndefinedError      the score has no value for this model: stored, never retried
├── ProbeError               an exported probe that cannot be fitted, written or read
├── ConformanceError         a score that does not keep what every score promises
├── ClusterError             a cluster that cannot be reached or does not have what is needed
├── StoreError               the result file cannot be read or written
│   └── ArrayError           kept arrays are missing or damaged, or cannot be written
├── ReportError              nothing to report, or nowhere to write it
├── RankingError             networks that cannot be ranked for a dataset
└── ServiceError             the service cannot be started as asked

A message says what was needed, what was seen and what to do. The command line prints it on
one line and exits with 2; it never shows a traceback for one of these.
"""


class ZooEvalError(Exception):
    """Root of the tree: catch this to catch every expected failure."""


class ManifestError(ZooEvalError):
    """A manifest that cannot be read or does not say what it must."""


class JobError(ZooEvalError):
    """A job file that asks for something that does not exist."""


class DatasetError(ZooEvalError):
    """Images or labels that cannot be used."""


class ModelError(ZooEvalError):
    """A network that cannot be built."""


class WeightsError(ModelError):
    """Weights that are missing, damaged or unsafe to load."""


class DownloadError(WeightsError):
    """Weights that could not be downloaded.

    Attributes:
        heals: Whether a later try may succeed.
        after_s: Seconds that the server asks to wait before it.
    """

    def __init__(self, message: str, *, heals: bool = False, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.heals = heals
        self.after_s = after_s


class BudgetError(DownloadError):
    """No room for weights within the budget, until some that are in use are released."""


class InputError(ZooEvalError):
    """An argument of a score or a quantity that has the wrong shape or content."""


class NotFiniteError(InputError):
    """Outputs of a network that are NaN or infinite."""


class ScoreUndefinedError(ZooEvalError):
    """The score has no value for this model. The message is stored as the reason."""


class ProbeError(ZooEvalError):
    """An exported probe that cannot be fitted, written or read."""


class ConformanceError(ZooEvalError):
    """A score that does not keep what every score promises; lists each check it fails."""


class ClusterError(ZooEvalError):
    """A cluster that cannot be reached, or whose nodes do not have what is needed."""


class StoreError(ZooEvalError):
    """The result file cannot be read or written."""


class ArrayError(StoreError):
    """Kept arrays are missing or damaged, or cannot be written."""


class ReportError(ZooEvalError):
    """There is nothing to report, or nowhere to write it."""


class RankingError(ZooEvalError):
    """Networks cannot be ranked for a dataset."""


class ServiceError(ZooEvalError):
    """The service cannot be started as it was asked to."""
