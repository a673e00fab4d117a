"""`zoo-eval serve`: how it starts, and why it does not."""

import signal
import socket
import subprocess
import sys

import pytest

from tests.cli.call import call
from tests.service.service import Service
from zoo_eval.errors import ServiceError
from zoo_eval.service.listen import read_token

TOKEN = "0123456789abcdef"


def serve(monkeypatch, capsys, *arguments: str) -> str:
    code, out, err = call(monkeypatch, capsys, "serve", *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    return err


def test_another_address_needs_a_token(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("ZOO_EVAL_TOKEN", raising=False)
    for host in ("0.0.0.0", "::"):
        err = serve(monkeypatch, capsys, "--store", str(tmp_path / "r"), "--host", host)
        assert err == (
            f"zoo-eval: {host} can be reached from other machines, so a token is needed: "
            "--token-file FILE, or the variable ZOO_EVAL_TOKEN.\n"
        )


def test_an_address_that_cannot_be_used(monkeypatch, capsys, tmp_path):
    store = ("--store", str(tmp_path / "r.duckdb"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        err = serve(monkeypatch, capsys, *store, "--port", port)
    assert err.startswith(f"zoo-eval: Port {port} of 127.0.0.1 cannot be used: Address already in")
    assert err.endswith("Name another with --port.\n")
    err = serve(monkeypatch, capsys, *store, "--host", "nosuch.invalid")
    assert err.startswith("zoo-eval: There is no address 'nosuch.invalid':")


def test_a_file_that_is_no_store(monkeypatch, capsys, tmp_path):
    path = tmp_path / "r.duckdb"
    path.write_bytes(b"no store")
    err = serve(monkeypatch, capsys, "--store", str(path), "--port", "0")
    assert err == f"zoo-eval: {path} exists, but is not a DuckDB file. Name another file.\n"


def test_tokens(tmp_path):
    file = tmp_path / "token"
    assert read_token(None, None) is read_token(None, "") is None
    assert read_token(None, TOKEN) == TOKEN
    file.write_text(f"{TOKEN[::-1]}\n")
    assert read_token(file, TOKEN) == TOKEN[::-1]
    for short in ("", "short"):
        file.write_text(short)
        with pytest.raises(ServiceError, match=f"The token has {len(short)} characters; at least"):
            read_token(file, None)
    with pytest.raises(ServiceError, match="The token cannot be read from"):
        read_token(tmp_path / "nosuch", None)


def test_without_the_extra(tmp_path):
    code = (
        "import sys; sys.modules['uvicorn'] = None; sys.argv = ['zoo-eval', 'serve']\n"
        "from zoo_eval.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "zoo-eval: The service needs uvicorn, which is not installed: "
        "pip install 'zoo-eval[service]'\n"
    )


def test_it_serves_and_ends_in_order(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_EVAL_TOKEN", TOKEN)
    path = tmp_path / "r.duckdb"
    with Service(path, token=TOKEN) as service:
        health = service.get("health")
        assert health["models"] == 0
        # Read by uvicorn itself, not by a test client: one name, decoded once.
        response = service.client.get("/api/v1/models/a%252fb%2F..%2Fc")
        assert response.json()["detail"] == "There is no model 'a%2fb/../c' in the store."
        second = subprocess.run(
            [sys.executable, "-m", "zoo_eval", "serve", "--store", str(path), "--port", "0"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 2
        assert second.stderr.startswith("zoo-eval: Another service carries out the jobs of")
        stream = service.events("runs/events")
        assert next(stream) == ("store", {"state": ""})
        printed = service.end()  # although the stream is open
    assert printed == ""
    assert service.process.returncode == -signal.SIGTERM
    assert sorted(each.name for each in tmp_path.iterdir()) == []
