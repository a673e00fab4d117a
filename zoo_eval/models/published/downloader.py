"""Asks the download program, and ends it when it is stuck or no longer wanted."""

import json
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from zoo_eval.errors import DownloadError
from zoo_eval.models.published import download

POLL_S = 0.1
START_S = 60.0  # for the program itself, on a busy machine


class Downloader:
    """One download program, started when it is first asked, and again after it was ended.

    Args:
        stall_s: Seconds without a grown file or a word after which a download counts as stuck.
    """

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._stopped = threading.Event()
        self._program: subprocess.Popen[bytes] | None = None

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Make every `ask` and `wait` under way, and each later one, end at once."""
        self._stopped.set()

    def wait(self, seconds: float) -> None:
        """Sleep, unless stopped.

        Raises:
            DownloadError: stopped.
        """
        if self._stopped.wait(seconds):
            raise DownloadError("The download was stopped.")

    def ask(
        self,
        request: dict[str, Any],
        watched: Callable[[], int] = lambda: 0,
        limit: int | None = None,
    ) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Args:
            request: See `download`.
            watched: Gives the bytes on disk so far.
            limit: More bytes than this are not accepted.

        Raises:
            DownloadError: stuck, too large, stopped, or what the program says.
        """
        patience = self._stall_s if self._program else max(START_S, self._stall_s)
        program = self._running()
        assert program.stdin is not None
        program.stdin.write(json.dumps(request).encode() + b"\n")
        deadline = time.monotonic() + patience
        size = 0
        while True:
            message = self._next(program)
            now, seen = time.monotonic(), watched()
            if limit is not None and seen > limit:
                self.end()
                raise DownloadError(f"more came than the {limit} bytes announced", heals=True)
            if message is not None and "waits" not in message:
                if "error" in message:
                    raise DownloadError(
                        message["error"], heals=message["heals"], after_s=message["after"]
                    )
                return message
            if message is not None:
                deadline = now + message["waits"] + self._stall_s
            if seen != size:
                size, deadline = seen, now + self._stall_s
            if now > deadline:
                self.end()
                raise DownloadError(f"nothing came for {self._stall_s:g} s", heals=True)

    def _next(self, program: "subprocess.Popen[bytes]") -> dict[str, Any] | None:
        """The next message, if there is one within a moment."""
        assert program.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(program.stdout, selectors.EVENT_READ)
            ready = selector.select(POLL_S)
        if self.stopped:
            self.end()
            raise DownloadError("The download was stopped.")
        if not ready:
            return None
        text = program.stdout.readline()
        if not text:
            self.end()
            raise DownloadError("the download program ended unexpectedly", heals=True)
        return json.loads(text)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._program is None:
            self._program = subprocess.Popen(
                # -P: the folder of the program is no place to import from.
                [sys.executable, "-P", download.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,  # so that no answer waits unseen in a buffer
                start_new_session=True,  # Ctrl-C is for us to handle
            )
        return self._program

    def end(self) -> None:
        """End the program, whatever it is doing."""
        program, self._program = self._program, None
        if program is not None:
            program.kill()
            program.communicate()
