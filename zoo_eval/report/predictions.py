"""Can accuracy be predicted from the scores of a store, and better than from size alone?"""

from dataclasses import dataclass

from zoo_eval.correlation.prediction import Prediction
from zoo_eval.errors import InputError
from zoo_eval.report.collect import ReportData
from zoo_eval.side_processes import SideProcesses

METHODS = ("ridge", "trees")
_FOLDS = 5


@dataclass(frozen=True)
class Predictions:
    """What each method gave for one accuracy.

    Attributes:
        truth: The accuracy.
        found: By method; empty if nothing could be predicted.
        why_none: Why that is; empty if something could.
    """

    truth: str
    found: dict[str, Prediction]
    why_none: str = ""

    @property
    def verdicts(self) -> list[str]:
        """One sentence per method: how well it predicts, against size alone."""
        return [one.verdict for one in self.found.values()]


def predictions(data: ReportData, truth: str, beside: SideProcesses | None = None) -> Predictions:
    """Predict an accuracy from all scores, by each method, every model blind to its family.

    Args:
        data: What `collect` read.
        truth: `<benchmark>_<metric>`, an accuracy that some model has.
        beside: What fits the regressions; None: this process.
    """
    # scikit-learn takes a second to import; who asks for no prediction need not wait for it.
    from zoo_eval.correlation.predictor import predict_accuracy

    accuracy, families = data.accuracies[truth], data.models["family"]
    of_known = families[accuracy.notna()]
    n_families = int(of_known.nunique() + of_known.isna().sum())
    if not data.baselines:
        return Predictions(truth, {}, "No size of the models is known, which scores have to beat.")
    if n_families < 2 * _FOLDS:
        return Predictions(
            truth,
            {},
            f"To hold whole families out takes models of {2 * _FOLDS} families with {truth}, but "
            f"there are {n_families}.",
        )
    try:
        found = {
            method: predict_accuracy(
                *(data.scores, accuracy, families),
                method=method,
                sizes=data.baselines,
                folds=_FOLDS,
                beside=beside,
            )
            for method in METHODS
        }
    except InputError as error:
        return Predictions(truth, {}, str(error))
    return Predictions(truth, found)
