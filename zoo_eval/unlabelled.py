"""What can be computed of images that have no labels."""

from zoo_eval.datasets import Dataset
from zoo_eval.errors import JobError
from zoo_eval.job import Job
from zoo_eval.scores import Score


def needs_labels(score: Score, probe_source: str = "dataset") -> bool:
    """Whether a score asks for the labels of the dataset.

    Args:
        score: The score.
        probe_source: Where the job's probe batch comes from; `noise` has labels of its own.
    """
    givens = score.givens()
    return "labels" in givens or ("probe_labels" in givens and probe_source == "dataset")


def require_labels(job: Job, dataset: Dataset) -> None:
    """Refuse a job whose scores cannot be computed of its dataset.

    Raises:
        JobError: the images have no labels, but a score needs them.
    """
    if dataset.labelled:
        return
    scores = dict.fromkeys(request.score for request in job.scores)
    asking = [score.name for score in scores if needs_labels(score, job.probe.source)]
    if asking:
        others = f" and {len(asking) - 1} more scores need" if len(asking) > 1 else " needs"
        free = [score.name for score in scores if score.name not in asking]
        raise JobError(
            f"{asking[0]}{others} labels, but the images of {job.dataset.source} have none. Put "
            "them in one folder per class, or give a table a column of labels"
            + (f"; without labels, {', '.join(free)} can be computed." if free else ".")
        )
