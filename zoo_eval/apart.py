"""Calls a function in a process of its own, so that a heavy library does not stay in this one."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from zoo_eval.errors import ModelError, ZooEvalError

T = TypeVar("T")
_PROGRAM = "from zoo_eval.apart import answer; answer()"


def apart(library: str, function: Callable[..., T], *arguments: object) -> T:
    """What a function returns that imports a library; called here if that is here already.

    Args:
        library: Its name.
        function: Of a module that can be imported without the library.
        *arguments: Of the function; what can be pickled, as must be what it returns.

    Raises:
        ZooEvalError: as the function raises; or the process ended otherwise.
    """
    if library in sys.modules:
        return function(*arguments)
    # -P: the current folder is no place to import from, unless it is one for this process.
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM],
        input=pickle.dumps((function, arguments)),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["without a message"]
        raise ModelError(
            f"A process that was to import {library} ended with exit code {done.returncode}: "
            f"{lines[-1]}"
        )
    returned: Any = pickle.loads(done.stdout)
    if isinstance(returned, ZooEvalError):
        raise returned
    return returned


def answer() -> None:
    """The other process: reads the call from standard input, and writes what came of it."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print would spoil the answer
    function, arguments = pickle.load(sys.stdin.buffer)
    try:
        returned = function(*arguments)
    except ZooEvalError as error:
        returned = error
    with output:
        pickle.dump(returned, output)
