"""Calls the command line."""

import sys

import pytest

from zoo_eval.cli import main


def call(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `zoo-eval ARGUMENTS`, in this process."""
    monkeypatch.setattr(sys, "argv", ["zoo-eval", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), captured.out, captured.err
