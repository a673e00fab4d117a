"""The other network that some scores look at."""

from torch import nn

from zoo_eval.errors import ScoreUndefinedError


def needed_sibling(sibling: nn.Module | None) -> nn.Module:
    """The sibling.

    Raises:
        ScoreUndefinedError: there is none.
    """
    if sibling is None:
        raise ScoreUndefinedError(
            "Averaging takes a second checkpoint of the same architecture, but the manifest names "
            "none for this model. Its column `sibling` can."
        )
    return sibling
