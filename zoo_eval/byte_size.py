"""Sizes as people write them: `20GB`."""

from pydantic import ByteSize, TypeAdapter, ValidationError

from zoo_eval.errors import InputError

_SIZE = TypeAdapter(ByteSize)


def parse_size(text: str) -> int:
    """Bytes, from a number with a unit: GB is 1000³ bytes, GiB is 1024³.

    Raises:
        InputError: it is no size, or not above 0.

    >>> parse_size("20GB")
    20000000000
    """
    try:
        size = int(_SIZE.validate_python(text))
    except (ValidationError, OverflowError):
        size = 0
    if size <= 0:
        raise InputError(f"A size such as 20GB or 500MiB is needed, not {text!r}.")
    return size


def size_text(n_bytes: int) -> str:
    """Bytes as a person says them.

    >>> size_text(1_234_567_890)
    '1.23 GB'
    """
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.{0 if n_bytes >= 100 * factor else 2}f} {unit}"
    return f"{n_bytes} bytes"
