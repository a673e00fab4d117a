"""Work shared between threads: in order, each with one thread of BLAS, errors and all."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from zoo_eval import threads
from zoo_eval.threads import free_threads, in_threads, one_blas_thread, row_blocks


@pytest.fixture
def three(monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: 3)


def test_results_come_in_order(three):
    assert in_threads(lambda x: x * x, range(20)) == [x * x for x in range(20)]
    assert in_threads(str, []) == []


def _threads_of_blas() -> int:
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


def test_small_products_between_calls_can_do_with_one_thread_of_blas(three):
    with threadpool_limits(2, "blas"):
        with one_blas_thread():
            assert _threads_of_blas() == 1
            in_threads(str, range(6))
            assert _threads_of_blas() == 1
        assert _threads_of_blas() == 2


def test_a_thread_of_several_shares_its_work_no_further_and_has_one_of_blas(three):
    def look(_: int) -> tuple[int, int]:
        return free_threads(), _threads_of_blas()

    assert free_threads() == 3
    assert in_threads(look, range(6)) == [(1, 1)] * 6


def test_an_error_in_a_thread_is_raised(three):
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda x: 1 / x, [1, 2, 0])


@pytest.mark.parametrize(("n_rows", "n_columns"), [(1, 5), (7, 10**7), (5000, 3000), (64, 2**17)])
def test_blocks_hold_every_row_once_and_fit_into_the_cache(n_rows, n_columns):
    found = row_blocks(n_rows, n_columns)
    rows = np.concatenate([np.arange(n_rows)[block] for block in found])
    np.testing.assert_array_equal(rows, np.arange(n_rows))
    most = max(block.stop - block.start for block in found)
    assert most == 1 or most * n_columns <= threads._ENTRIES_AT_A_TIME
