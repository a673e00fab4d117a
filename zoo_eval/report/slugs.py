"""File names for models and scores, whose own names may hold any sign."""

import re
from collections.abc import Iterable

# Some file systems allow 255 bytes, ending and number included.
_LONGEST = 120
# What Windows keeps for devices, whatever the ending.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|index)(\..*)?", re.IGNORECASE)


def slugs(names: Iterable[str], prefix: str = "") -> dict[str, str]:
    """A file name for each name, without ending: letters, digits, `.`, `_`, `-`; no two alike.

    Also not alike in another case: some file systems do not tell `A` from `a`.

    >>> slugs(["dse", "dse[k=2]", "../x", "DSE"])
    {'dse': 'dse', 'dse[k=2]': 'dse-k-2', '../x': 'x', 'DSE': 'DSE-2'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = prefix + re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:_LONGEST]
        if not stem or _RESERVED.fullmatch(stem):
            stem = f"{stem or 'name'}-1"
        slug, number = stem, 1
        while slug.casefold() in taken:
            number += 1
            slug = f"{stem}-{number}"
        taken.add(slug.casefold())
        found[name] = slug
    return found
