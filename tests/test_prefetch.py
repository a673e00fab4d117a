"""Units come when their weights are there; downloads go on meanwhile."""

import time
from dataclasses import replace

import pytest

from tests.models.hub_client import cache, entries, hub_line, partial_files
from tests.models.hub_server import drip, status
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.errors import DownloadError
from zoo_eval.models.published.cached import locate
from zoo_eval.plan import Unit
from zoo_eval.prefetch import Prefetch
from zoo_eval.store.arrays import ArrayKey

NAMES = ("test_resnet", "test_vit", "test_byobnet", "test_convnext")


def unit(architecture: str, weights: str = "pretrained") -> Unit:
    line = hub_line(architecture)
    arrays = ArrayKey(line.model, weights, 0, "none", "")
    return Unit(line, preprocessing_of(line), weights, 0, (), {}, arrays)


def published(hub, *names: str) -> list[Unit]:
    for name in names:
        hub.publish_model(name)
    return [unit(name) for name in names]


def taken(prefetch: Prefetch) -> list[Unit]:
    """All units that come, each done at once."""
    units = []
    while (ready := prefetch.ready(30.0)) is not None:
        assert ready.error is None
        assert ready.unit.weights == "init" or locate(ready.unit.line) is not None
        prefetch.done(ready.unit)
        units.append(ready.unit)
    return units


def wait_for(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_downloaded_units_come_in_order(hub):
    units = published(hub, *NAMES)
    with Prefetch(units, cache(), ahead=2) as prefetch:
        assert taken(prefetch) == units
        assert prefetch.exhausted
    assert hub.methods.count("GET") == len(units)


def test_cached_units_come_in_order_without_any_request(hub):
    units = published(hub, *NAMES)
    with cache() as weights_cache:
        for one in units:
            weights_cache.hold(one.line)
    hub.requests.clear()
    with Prefetch(iter(units), cache(), ahead=2) as prefetch:
        assert taken(prefetch) == units
    assert hub.requests == []


def test_units_that_need_no_download_overtake_a_slow_one(hub):
    hub.pace = 1.0
    slow = published(hub, "test_resnet")
    quick = [unit(name, "init") for name in NAMES]
    with Prefetch([*slow, *quick], cache(), ahead=1) as prefetch:
        assert taken(prefetch) == [*quick, *slow]


def test_no_more_lies_ready_than_asked_for(hub):
    units = published(hub, *NAMES)
    with Prefetch(units, cache(), ahead=2) as prefetch:
        wait_for(lambda: hub.methods.count("GET") == 2)
        time.sleep(0.5)
        assert hub.methods.count("GET") == 2
        prefetch.ready(30.0)
        wait_for(lambda: hub.methods.count("GET") == 3)


def test_a_unit_whose_download_failed_comes_with_its_error(hub):
    units = [unit("test_convnext"), *published(hub, "test_resnet")]  # the first is nowhere
    with Prefetch(units, cache(), ahead=2) as prefetch:
        first, second = prefetch.ready(30.0), prefetch.ready(30.0)
        assert first.unit is units[0]
        assert isinstance(first.error, DownloadError)
        assert "404" in str(first.error)
        assert (second.unit, second.error) == (units[1], None)
        assert prefetch.exhausted
        # It was published in the meantime, and is tried again.
        hub.publish_model("test_convnext")
        prefetch.put(units[0])
        assert not prefetch.exhausted
        again = prefetch.ready(30.0)
        assert (again.unit, again.error) == (units[0], None)


def test_a_unit_that_is_put_back_keeps_its_place_in_the_cache(hub):
    [one] = published(hub, "test_resnet")
    with Prefetch([one], cache(), ahead=1) as prefetch:
        assert prefetch.ready(30.0).unit is one
        assert prefetch.ready(0.1) is None
        prefetch.put(one)
        assert prefetch.ready(30.0).unit is one
        prefetch.done(one)
    assert hub.methods.count("GET") == 1


def test_the_end_of_the_block_ends_a_download_at_once(hub):
    units = published(hub, "test_resnet")
    hub.faults["GET"].append(drip(100_000, 0.5))
    with Prefetch(units, cache(stall_s=60.0), ahead=1) as prefetch:
        wait_for(partial_files)
        clock = time.monotonic()
    assert time.monotonic() - clock < 3
    assert prefetch.ready() is None
    assert partial_files() == []
    assert entries() == []


def test_all_units_get_through_a_small_budget(hub):
    units = published(hub, *NAMES)
    budget = int(1.2 * max(map(len, hub.contents.values())))
    weights_cache = cache(budget)
    with Prefetch(units, weights_cache, ahead=3) as prefetch:
        first = prefetch.ready(30.0)
        time.sleep(0.5)
        assert hub.methods.count("GET") == 1  # no room as long as the first is in use
        prefetch.done(first.unit)
        assert [first.unit, *taken(prefetch)] == units
    assert weights_cache.peak_bytes <= budget
    assert hub.methods.count("GET") == len(units)


def test_weights_that_nobody_publishes(hub):
    nobody = replace(unit("test_resnet"), line=hub_line("test_nobody"))
    with Prefetch([nobody], cache(), ahead=1) as prefetch:
        assert "timm knows no weights" in str(prefetch.ready(30.0).error)
    assert hub.requests == []


def test_retry_after_does_not_hold_up_the_end(hub):
    units = published(hub, "test_resnet")
    hub.faults["HEAD"].append(status(429, Retry_After="3600"))
    with Prefetch(units, cache(), ahead=1) as prefetch:
        wait_for(lambda: hub.methods)
        assert prefetch.ready(0.1) is None
        clock = time.monotonic()
    assert time.monotonic() - clock < 3


def test_nothing_to_do(hub):
    with Prefetch([], cache(), ahead=1) as prefetch:
        assert prefetch.exhausted
        assert prefetch.ready() is None


def test_units_that_break_off_are_no_endless_wait(hub):
    def units():
        yield unit("test_resnet", "init")
        raise RuntimeError("the plan broke off")

    with Prefetch(units(), cache(), ahead=1) as prefetch:
        assert prefetch.ready(30.0).unit.weights == "init"
        with pytest.raises(RuntimeError, match="the plan broke off"):
            prefetch.ready(30.0)
