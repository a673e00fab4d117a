"""Types of pandas frames and columns, which pandas does not ship, and their rows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    # From pandas's source pyright infers `DataFrame | Series | ndarray` for most expressions.
    Frame = Any
    Series = Any
else:
    Frame = pd.DataFrame
    Series = pd.Series


def records_of(frame: Frame) -> Iterable[tuple[Any, Any]]:
    """Index and named fields of each row; labels are no identifiers, so columns must be."""
    return zip(frame.index, frame.itertuples(index=False), strict=True)
