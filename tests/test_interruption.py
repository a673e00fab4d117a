"""Signals that come while something must not be left half done."""

import os
import signal
import threading

import duckdb
import pytest

from zoo_eval.interruption import uninterrupted
from zoo_eval.store.connection import connect


@pytest.fixture(autouse=True)
def ended_in_order():
    """What `zoo-eval run` does with SIGTERM; and Ctrl-C, which a shell's background ignores."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def send_after(seconds: float, number: int) -> None:
    threading.Timer(seconds, lambda: os.kill(os.getpid(), number)).start()


def long_query(connection: duckdb.DuckDBPyConnection) -> int:
    """Half a second or more; the largest number."""
    query = "SELECT max((a.range * b.range) % 1013) FROM range(20000) a, range(20000) b"
    ((found,),) = connection.execute(query).fetchall()
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_block_comes_to_its_end_first(number):
    done = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # what is done before it matters
        with uninterrupted():
            send_after(0.1, number)
            done.append(long_query(duckdb.connect()))
        done.append("not reached")
    assert done == [1012]
    assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler


def test_an_error_in_the_block_is_not_hidden():
    with pytest.raises(ValueError, match="full"), uninterrupted():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("full")


def test_a_second_signal_is_obeyed_at_once():
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        done.append("after the first")
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("after the second")
    assert done == ["after the first"]


def test_another_thread_goes_on_as_ever():
    def work() -> None:
        with uninterrupted():
            done.append(signal.getsignal(signal.SIGTERM))

    done = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]


def test_an_interrupted_query_is_an_interruption(tmp_path):
    """Not a fault of the store, as which DuckDB reports it."""
    with (  # noqa: PT012
        pytest.raises(KeyboardInterrupt),
        connect(tmp_path / "r.duckdb", read_only=False, patience_s=1.0) as connection,
    ):
        send_after(0.1, signal.SIGINT)
        long_query(connection)
    with connect(tmp_path / "r.duckdb", read_only=True, patience_s=1.0) as connection:
        assert connection.execute("SELECT count(*) FROM scores").fetchall() == [(0,)]
