"""The state of the process that a score must leave alone: random generators, torch's modes."""

import random
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch

# Not one that a score is likely to set itself: then nothing would seem to have happened.
_UNLIKELY_SEED = 867_5309


@contextmanager
def process_kept() -> Generator[None, None, None]:
    """Start from an unlikely seed; put everything back at the end of the block."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    dtype, gradients = torch.get_default_dtype(), torch.is_grad_enabled()
    try:
        seed_generators(_UNLIKELY_SEED)
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        torch.set_rng_state(before[2])
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(gradients)


def seed_generators(seed: int) -> None:
    """Set the global random generators, on which no score may depend."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.default_generator.manual_seed(seed)


def process_state() -> dict[str, object]:
    """What a score must leave as it is, by name.

    Python's own random generator is not there: run-time type checkers draw from it.
    """
    _, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    return {
        "numpy's random generator": (np.asarray(keys).tobytes(), *rest),
        "torch's random generator": torch.get_rng_state().numpy().tobytes(),
        "torch.is_grad_enabled()": torch.is_grad_enabled(),
        "torch.get_default_dtype()": torch.get_default_dtype(),
        "autocast": torch.is_autocast_enabled("cpu"),
    }
