import os
import sys

import pytest

from zoo_eval.apart import apart
from zoo_eval.errors import ModelError, WeightsError


def process(said: str) -> tuple[int, str]:
    print("what a library prints is no part of the answer")
    return os.getpid(), said


def refuse() -> None:
    raise WeightsError("no such weights")


def end() -> None:
    sys.exit("something is wrong")


def test_a_library_that_is_not_here_is_used_elsewhere(capfd):
    pid, said = apart("no_such_library", process, "as given")
    assert (pid != os.getpid(), said) == (True, "as given")
    assert capfd.readouterr().out == ""
    assert apart("pytest", process, "x") == (os.getpid(), "x")


def test_what_goes_wrong_there_is_told_here():
    with pytest.raises(WeightsError, match=r"^no such weights$"):
        apart("no_such_library", refuse)
    with pytest.raises(ModelError, match="no_such_library ended with exit code 1: something is wr"):
        apart("no_such_library", end)
