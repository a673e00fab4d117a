"""Checks what comes from outside before any formula sees it."""

from typing import Any

import numpy as np

from zoo_eval.errors import InputError

_MATRICES = ("embeddings", "logits", "source_probabilities", "squared_distances", "pixels")
_CLASS_IDS = ("labels", "image_clusters")


def check_given(name: str, value: Any) -> Any:  # noqa: ANN401  # a given can be anything
    """Return a given in the form that scores expect.

    Arrays become NumPy arrays (tensors are detached); `labels` are renumbered 0 … C−1 in
    sorted order, so that a class id that never occurs cannot change a score.

    Raises:
        InputError: wrong number of dimensions, no rows, NaN or infinite entries, or labels
            that are not whole numbers or strings.
    """
    if name in _MATRICES:
        return _matrix(name, _as_array(value))
    if name in _CLASS_IDS:
        return _class_ids(name, _as_array(value))
    return value


def _as_array(value: Any) -> np.ndarray:  # noqa: ANN401
    is_tensor = hasattr(value, "detach") and hasattr(value, "cpu")
    return np.asarray(value.detach().cpu() if is_tensor else value)


def _matrix(name: str, value: np.ndarray) -> np.ndarray:
    if value.ndim != 2 or value.size == 0:
        raise InputError(
            f"{name} must be a matrix with one row per image, but has shape {value.shape}."
        )
    if name == "squared_distances" and value.shape[0] != value.shape[1]:
        raise InputError(
            f"squared_distances must have one row and one column per image, but has shape "
            f"{value.shape}. Give embeddings to have them computed."
        )
    if not np.issubdtype(value.dtype, np.number):
        raise InputError(f"{name} must hold numbers, but its type is {value.dtype}.")
    n_bad = int(value.size - np.count_nonzero(np.isfinite(value)))
    if n_bad:
        raise InputError(
            f"{name} holds {n_bad} NaN or infinite entries of {value.size}. "
            "Did the network overflow, or are its weights damaged?"
        )
    return value


def _class_ids(name: str, value: np.ndarray) -> np.ndarray:
    if value.ndim != 1:
        raise InputError(f"{name} must be one class id per image, but has shape {value.shape}.")
    if value.dtype.kind not in "iuUSb":
        raise InputError(
            f"{name} must be whole numbers or strings, but their type is {value.dtype}. "
            "Round floats yourself if they are class ids."
        )
    return np.unique(value, return_inverse=True)[1].astype(np.int64)
