"""The look at the images before a race."""

from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.ranking.inspection import inspect_images
from zoo_eval.ranking.inspection.findings import Inspection
from zoo_eval.ranking.inspection.text import inspection_text


def look_first(spec: DatasetSpec, *, quiet: bool) -> Inspection:
    """Say what there is, and what looks wrong.

    Args:
        spec: The images.
        quiet: Say nothing, because a machine reads the output.

    Raises:
        DatasetError: the source cannot be listed.
    """
    found = inspect_images(spec)
    if not quiet:
        print(inspection_text(found), flush=True)
    return found
