"""How commands that work for long are stopped, and what they exit with."""

import signal

EXIT_FAILED_MODELS = 3
EXIT_INTERRUPTED = 130


def stop_in_order() -> None:
    """Let a batch system's SIGTERM and a closed terminal's SIGHUP end a run as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
