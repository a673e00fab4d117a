"""The newest row of each score setting, as a pandas frame: the view `latest_scores`, but faster.

A million rows hold some thousand distinct texts. So text is turned into numbers once, and all
that follows, sorting first of all, handles numbers.
"""

from typing import TYPE_CHECKING, Any

import pyarrow

if TYPE_CHECKING:
    import pandas as pd

_SETTING = ("model", "weights", "seed", "score", "options", "dataset")
_NEWEST_FIRST = {"version": False, "stored": False, "fingerprint": True}  # column → ascending


def newest(rows: Any) -> "pd.DataFrame":  # noqa: ANN401  # an Arrow table
    """The newest row of each setting, sorted by setting; text as ordered categories.

    Args:
        rows: The table `scores`, or at least its columns of a setting and those that tell which
            row is newer.
    """
    frame: pd.DataFrame = _encoded(rows).to_pandas()
    for column in frame.select_dtypes("category"):
        texts = frame[column].cat
        frame[column] = texts.reorder_categories(sorted(texts.categories), ordered=True)
    frame = frame.sort_values(list(_SETTING), ignore_index=True)
    if not frame.duplicated(list(_SETTING)).any():
        return frame
    order = {**dict.fromkeys(_SETTING, True), **_NEWEST_FIRST}
    frame = frame.sort_values(list(order), ascending=list(order.values()))
    return frame.drop_duplicates(list(_SETTING), ignore_index=True)


def with_plain_text(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The same with plain text in place of categories."""
    texts = frame.select_dtypes("category")
    return frame.astype({column: texts[column].cat.categories.dtype for column in texts})


def _encoded(rows: Any) -> Any:  # noqa: ANN401  # Arrow tables
    """Text as places in a list of the distinct texts."""
    for place, field in enumerate(rows.schema):
        if pyarrow.types.is_string(field.type):
            encoded = rows.column(place).dictionary_encode()
            rows = rows.set_column(place, field.name, encoded)
    return rows
