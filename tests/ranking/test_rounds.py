import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.ranking.rounds import MOST_IMAGES, decided, going_on, images_per_class
from zoo_eval.ranking.standing import Standing


def stand(chances: list[float], best: float = 0.0) -> Standing:
    n = len(chances)
    models = tuple(f"m{place}" for place in range(n))
    return Standing(models, (0.0,) * n, tuple(chances), (best, *[0.0] * (n - 1)), (1,) * n)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=200))
def test_rounds_grow_and_end_with_all_or_as_many_as_are_allowed(counts):
    sizes = images_per_class(counts)
    totals = [sum(min(size, n) for n in counts) for size in sizes]
    assert list(sizes) == sorted(set(sizes))
    assert totals[-1] == sum(counts) or totals[-1] <= MOST_IMAGES or sizes[-1] == 2
    if sum(counts) <= MOST_IMAGES:
        assert totals[-1] == sum(counts)


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [
        ([1, 1], (1,)),
        ([2] * 10, (2,)),
        ([50] * 10, (10, 50)),
        ([1000] * 10, (10, 40, 160, 1000)),
        ([1000] * 100, (2, 8, 32, 100)),
        ([2] * 5000, (2,)),
        ([10] * 5000, (2,)),
    ],
)
def test_known_schedules(counts, sizes):
    found = images_per_class(counts)
    assert found[:-1] == sizes[:-1]
    assert found[-1] == pytest.approx(sizes[-1], rel=0.06)


def test_who_can_still_be_in_the_top_goes_on_and_the_top_always_does():
    assert going_on(stand([0.9, 0.001, 0.3, 0.009]), 2) == ("m0", "m1", "m2")


def test_it_is_decided_when_the_top_and_its_first_are():
    assert decided(stand([1.0, 0.96, 0.04], best=0.97), 2)
    assert not decided(stand([1.0, 0.96, 0.04], best=0.6), 2)
    assert not decided(stand([1.0, 0.6, 0.4], best=0.97), 2)
    assert decided(stand([1.0], best=1.0), 5)  # fewer networks than are wanted
