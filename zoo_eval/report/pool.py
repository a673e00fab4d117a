"""Pool scores: ranks and scalings over the models of a report, from the stored parts."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from zoo_eval.report.frames import Frame

if TYPE_CHECKING:
    from zoo_eval.scores import PoolScore


def add_pool_scores(scores: Frame, columns: Frame, pool_scores: Iterable["PoolScore"]) -> None:
    """Add a column `NAME (pool)` for every pool score whose parts are all there; in place.

    Parts with their default options count. Where the parts occur with several kinds of weights
    or datasets, there is one pool score for each; a part that occurs only once, as `macs` does,
    serves all of them.

    Args:
        scores: One row per model, one column per score label.
        columns: One row per score label, see `ReportData.columns`; gets rows too. The seconds of
            a pool score are those of its parts together.
        pool_scores: What to compute.
    """
    for pooled in pool_scores:
        found = [_labels_by_suffix(scores.columns, part) for part in pooled.parts]
        for suffix in sorted(set().union(*found)):
            labels = [of_part.get(suffix, of_part.get("", "")) for of_part in found]
            if not all(labels):
                continue
            label = f"{pooled.name} (pool){suffix}"
            scores[label] = pooled(*(scores[part].to_numpy() for part in labels))
            facts = columns.reindex(labels)
            columns.loc[label, ["score", "options"]] = [pooled.name, "{}"]
            columns.loc[label, "seeds"] = facts["seeds"].min()
            columns.loc[label, "seconds"] = facts["seconds"].sum()


def _labels_by_suffix(labels: Iterable[str], score: str) -> dict[str, str]:
    """Labels of a score with default options, by what follows the name: ` @init on photos@12`."""
    return {
        label.removeprefix(score): label
        for label in labels
        if label == score or label.startswith((f"{score} @", f"{score} on "))
    }
