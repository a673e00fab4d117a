"""Arrays of a forward pass, kept as files that workers write and read without the store.

Their row in the store holds the file's size and digest: what a disk does to it is noticed.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int, Int64
from safetensors import SafetensorError
from safetensors.numpy import load, save

from zoo_eval.errors import ArrayError
from zoo_eval.store.folder import Folder
from zoo_eval.store.rows import EmbeddingsRow

Embeddings = Float32[np.ndarray, "n d"]
Logits = Float32[np.ndarray, "n outputs"]
Labels = Int64[np.ndarray, " n"]

_NAME = re.compile(r"[0-9a-f]{64}\.safetensors")


class ArrayKey(NamedTuple):
    """All that the arrays depend on, and what their file is named by."""

    model: str
    weights: str
    seed: int
    dataset: str
    fingerprint: str

    @property
    def file(self) -> str:
        """Name of the file: the same arrays always have the same."""
        return f"{hashlib.sha256(json.dumps(self).encode()).hexdigest()}.safetensors"


class Arrays(NamedTuple):
    """What a file holds, one row per image.

    Attributes:
        embeddings: Pre-logits.
        logits: Outputs of the head.
        labels: Class ids as the head counts them; None if it knows other classes, or the file is
            from before labels were kept.
    """

    embeddings: Embeddings
    logits: Logits
    labels: Labels | None


@dataclass(frozen=True)
class ArrayFolder:
    """A folder of safetensors files; small to send to a worker.

    Attributes:
        location: A path or a URL that fsspec knows: `kept/`, `s3://bucket/kept`.
    """

    location: str

    @cached_property
    def _folder(self) -> Folder:
        return Folder(self.location)

    def write(
        self,
        key: ArrayKey,
        embeddings: Float[np.ndarray, "n d"],
        logits: Float[np.ndarray, "n outputs"],
        precision: str = "fp32",
        labels: Int[np.ndarray, " n"] | None = None,
    ) -> EmbeddingsRow:
        """Keep the arrays, as float32; what the same key had before is replaced.

        Args:
            key: What they depend on.
            embeddings: One row per image.
            logits: One row per image; no columns if the network has no head.
            precision: In which the network computed.
            labels: Class ids as the head counts them; None if it knows others.

        Raises:
            ArrayError: the folder cannot be written, or its disk is full.
        """
        arrays: dict[str, np.ndarray] = {
            "embeddings": np.ascontiguousarray(embeddings, np.float32),
            "logits": np.ascontiguousarray(logits, np.float32),
        }
        if labels is not None:
            arrays["labels"] = np.ascontiguousarray(labels, np.int64)
        content = save(
            arrays,
            # One entry only: safetensors writes several in an order that changes.
            metadata={"key": json.dumps(key._asdict())},
        )
        self._folder.put(key.file, content)
        return EmbeddingsRow(
            *key,
            file=key.file,
            n_images=embeddings.shape[0],
            width=embeddings.shape[1],
            n_outputs=logits.shape[1],
            dtype="float32",
            precision=precision,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )

    def read(self, row: EmbeddingsRow) -> Arrays:
        """The arrays, if they are what was written.

        Raises:
            ArrayError: the file is missing, cut short or changed, or is of another shape.
        """
        path = self._folder.path(row.file)
        try:
            arrays = load(self.content(row))
        except SafetensorError as error:
            raise ArrayError(f"{path} is no safetensors file: {error}") from error
        wanted: dict[str, tuple[tuple[int, ...], str]] = {
            "embeddings": ((row.n_images, row.width), "float32"),
            "logits": ((row.n_images, row.n_outputs), "float32"),
        }
        if "labels" in arrays:
            wanted["labels"] = ((row.n_images,), "int64")
        seen = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
        if seen != wanted:
            raise ArrayError(f"{path} should hold {wanted}, but holds {seen}.")
        return Arrays(arrays["embeddings"], arrays["logits"], arrays.get("labels"))

    def content(self, row: EmbeddingsRow) -> bytes:
        """The file of a row, if it is what was written.

        Raises:
            ArrayError: the file is missing, cut short or changed.
        """
        if not _NAME.fullmatch(row.file):
            raise ArrayError(f"{row.file!r} is no name of an array file in {self.location}.")
        content, path = self._folder.read(row.file), self._folder.path(row.file)
        if len(content) != row.bytes:
            raise ArrayError(f"{path} should hold {row.bytes} bytes, but holds {len(content)}.")
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise ArrayError(f"{path} is not as it was written: its bytes changed.")
        return content

    def put(self, row: EmbeddingsRow, content: bytes) -> None:
        """Write the file of a row, as another folder's `content` gave it.

        Raises:
            ArrayError: the folder cannot be written, or its disk is full.
        """
        self._folder.put(row.file, content)

    def unreferenced(self, rows: Iterable[EmbeddingsRow]) -> list[str]:
        """Files that no row names, and what writers that live no more left, by name.

        Raises:
            ArrayError: the folder cannot be read.
        """
        named = {row.file for row in rows}
        ours = [name for name in self._folder.finished() if _NAME.fullmatch(name)]
        return sorted({*ours} - named | {*self._folder.abandoned()})

    def drop(self, names: Iterable[str]) -> None:
        """Remove files that `unreferenced` named.

        Raises:
            ArrayError: one cannot be removed.
        """
        self._folder.drop(names)
