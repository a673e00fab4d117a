"""Where zoo_eval keeps on this machine what need not be computed or downloaded twice."""

import os
from pathlib import Path

import platformdirs


def cache_folder(what: str) -> Path:
    """A part of $ZOO_EVAL_CACHE, or of the user's cache folder.

    Args:
        what: `decoded` or `resized` images, or the list of downloaded `weights`.
    """
    root = os.environ.get("ZOO_EVAL_CACHE") or platformdirs.user_cache_dir("zoo_eval")
    return Path(root) / what
