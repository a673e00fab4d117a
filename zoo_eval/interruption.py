"""Lets what must not be left half done come to its end before an interruption does."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_NUMBERS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def uninterrupted() -> Generator[None]:
    """Put off what Ctrl-C, SIGTERM and SIGHUP do until the block ends; the second one is at once.

    Signals that nobody handles end the process as ever, and so does SIGKILL. Outside the main
    thread, where Python lets no handler run, nothing is to be put off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers: dict[int, _Handler] = {
        number: handler for number in _NUMBERS if callable(handler := signal.getsignal(number))
    }
    put_off: list[int] = []

    def put_off_once(number: int, frame: FrameType | None) -> None:
        if put_off:
            handlers[number](number, frame)
        put_off.append(number)

    for number in handlers:
        signal.signal(number, put_off_once)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if put_off:
        handlers[put_off[0]](put_off[0], None)
