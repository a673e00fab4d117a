"""Where what was computed from images is kept, to be computed once."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Where decoded images are kept: $ZOO_EVAL_CACHE, or the user's cache folder."""
    root = os.environ.get("ZOO_EVAL_CACHE") or platformdirs.user_cache_dir("zoo_eval")
    return Path(root) / "decoded"
