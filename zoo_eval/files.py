"""What a run may download and keep."""

from dataclasses import dataclass

from zoo_eval.store import Store
from zoo_eval.store.arrays import ArrayFolder


@dataclass(frozen=True)
class Files:
    """What a run may download and keep.

    Attributes:
        offline: Prove before the start that all weights are here, and ask no hub.
        weights_budget: Bytes of downloaded weights on this machine; None: no bound.
        keep_arrays: Keep embeddings and logits, so that later scores need no pass.
        arrays: Folder or URL of kept arrays; None: beside the store.
    """

    offline: bool = False
    weights_budget: int | None = None
    keep_arrays: bool = False
    arrays: str | None = None

    def folder(self, store: Store) -> ArrayFolder:
        """Where arrays of this store are kept."""
        return store.arrays if self.arrays is None else ArrayFolder(self.arrays)
