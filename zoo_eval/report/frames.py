"""Types of pandas frames and columns, which pandas does not ship."""

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    # From pandas's source pyright infers `DataFrame | Series | ndarray` for most expressions.
    Frame = Any
    Series = Any
else:
    Frame = pd.DataFrame
    Series = pd.Series
