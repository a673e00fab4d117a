"""Downloads from a hub that fails in every way that real ones do."""

import time

import pytest

from tests.models.hub_client import RESNET, cache, entries, partial_files, refusal
from tests.models.hub_server import cut, damaged, drip, status, wrong_length
from zoo_eval.errors import DownloadError
from zoo_eval.models.published.cached import locate


def fetched(hub, weights_cache) -> None:
    """Fetch, and make sure that what came is what is served, once."""
    data = hub.publish_model("test_resnet")
    with weights_cache:
        assert weights_cache.hold(RESNET).read_bytes() == data
    assert weights_cache.n_downloads == 1
    assert partial_files() == []


def test_429_with_retry_after_is_obeyed(hub):
    hub.faults["HEAD"].append(status(429, Retry_After="1"))
    hub.faults["GET"].append(status(429, Retry_After="1"))
    clock = time.monotonic()
    fetched(hub, cache(stall_s=0.9))  # waiting as asked is not being stuck
    assert time.monotonic() - clock >= 2
    assert hub.methods == ["HEAD", "HEAD", "HEAD", "GET", "GET"]


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_500s_are_tried_again(hub, method):
    hub.faults[method].extend([status(500), status(503)])
    fetched(hub, cache())
    assert hub.methods.count("GET") == (3 if method == "GET" else 1)


def test_a_connection_cut_in_the_middle_is_resumed_where_it_broke(hub):
    hub.faults["GET"].append(cut(1_000_000))
    fetched(hub, cache())
    assert len(hub.ranges) == 1
    start = int(hub.ranges[0].removeprefix("bytes=").partition("-")[0])
    assert 900_000 < start <= 1_000_000


def test_a_slow_drip_is_cut_off_and_tried_again(hub):
    hub.faults["GET"].append(drip())
    clock = time.monotonic()
    fetched(hub, cache(stall_s=1.0))
    assert 1 <= time.monotonic() - clock < 8
    assert hub.methods.count("GET") == 2


@pytest.mark.parametrize("fault", [wrong_length(1000), damaged])
def test_a_wrong_length_or_digest_is_noticed_and_tried_again(hub, fault):
    hub.faults["GET"].append(fault)
    fetched(hub, cache())
    assert hub.methods.count("GET") == 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (status(500), "Server error '500"),
        (wrong_length(1000), "should be of size"),
        (damaged, "has the SHA-256"),
        (drip(), "nothing came for 2 s"),
    ],
)
def test_what_does_not_heal_ends_after_some_tries(hub, fault, reason):
    hub.publish_model("test_resnet")
    hub.faults["GET"].extend([fault] * 20)
    with cache(tries=3, stall_s=2.0) as weights_cache, pytest.raises(DownloadError) as caught:
        weights_cache.hold(RESNET)
    message = str(caught.value)
    assert message.startswith(
        "The weights of test_resnet.r160_in1k cannot be downloaded from timm/test_resnet.r160_in1k"
    )
    assert reason in message
    assert "\n" not in message
    assert caught.value.heals
    assert hub.methods.count("GET") == 3
    assert partial_files() == []
    assert entries() == []
    assert locate(RESNET) is None


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_plain_no_is_not_asked_again(hub, code):
    hub.faults["HEAD"].extend([status(code)] * 9)
    with cache() as weights_cache, pytest.raises(DownloadError, match=str(code)) as caught:
        weights_cache.hold(RESNET)
    assert not caught.value.heals
    assert hub.methods == ["HEAD"]


def test_a_repository_or_file_that_is_not_there(hub):
    with cache() as weights_cache:
        assert "404" in refusal(weights_cache.hold, RESNET)
        hub.publish("timm/test_resnet.r160_in1k", {"README.md": b"nothing here"})
        hub.requests.clear()
        assert "Entry Not Found" in refusal(weights_cache.hold, RESNET)
    assert hub.methods == ["HEAD", "HEAD"]  # for either name


def test_no_hub_at_all(hub):
    hub.close()
    with cache(tries=2) as weights_cache:
        assert "Connection refused" in refusal(weights_cache.hold, RESNET)


def test_offline_nobody_is_asked(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with cache() as weights_cache:
        assert "HF_HUB_OFFLINE is set" in refusal(weights_cache.hold, RESNET)
    assert hub.requests == []
