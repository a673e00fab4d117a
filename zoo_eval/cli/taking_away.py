"""What `zoo-eval rank` makes of its answer: the best pair, a fitted probe."""

import sys
from pathlib import Path

from zoo_eval.datasets import load_dataset
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.errors import ProbeError
from zoo_eval.ranking.rank import Raced
from zoo_eval.ranking.takeaway.ensemble import best_pair
from zoo_eval.ranking.takeaway.export import export_probe
from zoo_eval.ranking.takeaway.probe import fit_probe
from zoo_eval.ranking.takeaway.snippet import probe_snippet
from zoo_eval.report import formats


def check_wishes(*, labelled: bool, export: Path | None, ensemble: bool) -> None:
    """Before the race, which may take hours: whether something can be made of its answer.

    Raises:
        ProbeError: the images have no labels, or the folder is there already.
    """
    if not labelled and (ensemble or export is not None):
        option = "--ensemble" if ensemble else "--export"
        raise ProbeError(f"{option} needs images with labels; these have none. Leave it out.")
    if export is not None and export.exists():
        raise ProbeError(f"{export} exists already. Name a folder that is to be made.")


def name_pair(raced: Raced, *, quiet: bool) -> None:
    """Of the first networks of the last round, the two that are right most often together.

    Raises:
        ProbeError: there are fewer than two.
    """
    last = raced.last
    names = [row.model for row in raced.ranking.rows if row.model in last.models]
    pair = best_pair(
        {
            name: fit_probe(last.embeddings(name), last.labels, last.dataset.classes)
            for name in names[: max(2, raced.ranking.top)]
        }
    )
    print(
        f"Best pair: {pair.models[0]} and {pair.models[1]}, right on "
        f"{formats.share(pair.accuracy)}; {pair.best_alone} alone is on "
        f"{formats.share(pair.accuracy_alone)}. Gain, judged on images that did not choose the "
        f"pair: {100 * pair.gain:+.1f} points, 95 % interval {100 * pair.low:+.1f} to "
        f"{100 * pair.high:+.1f}.",
        file=sys.stderr if quiet else sys.stdout,
    )


def write_probe(raced: Raced, spec: DatasetSpec, folder: Path, *, quiet: bool) -> None:
    """Fit the best network's probe to all images, and write it.

    Raises:
        ProbeError: the folder cannot be written.
    """
    best = raced.ranking.best.model
    fitted = export_probe(raced.lines[best], load_dataset(spec), folder)
    where = sys.stderr if quiet else sys.stdout
    seen = fitted.accuracy
    print(
        f"Probe of {best} in {folder}: {formats.share(seen.value)} right, 95 % interval "
        f"{formats.share(seen.low)} to {formats.share(seen.high)}, on {seen.n_images:,} images, "
        "each predicted from the others. To predict:",
        file=where,
    )
    print(probe_snippet(str(folder)), file=where)
