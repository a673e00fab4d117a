"""Published weights that change between two runs: one state is kept to."""

import hashlib

from tests.models.hub_client import RESNET, cache, download_as_others_do, hub_line, refusal
from tests.models.hub_server import weights
from zoo_eval.models.published.cached import locate, place_of
from zoo_eval.models.published.ledger import Ledger

REPOSITORY, NAME = "timm/test_resnet.r160_in1k", "model.safetensors"


def fetch(line=RESNET) -> bytes:
    with cache() as weights_cache:
        return weights_cache.hold(line).read_bytes()


def evict() -> None:
    with cache(1) as weights_cache:
        weights_cache.trim()
    assert locate(RESNET) is None


def test_a_cached_file_is_kept_to_and_nobody_is_asked(hub):
    old = hub.publish_model("test_resnet", seed=1)
    assert fetch() == old
    hub.publish_model("test_resnet", seed=2)
    hub.requests.clear()
    assert fetch() == old
    assert hub.requests == []


def test_an_evicted_file_comes_back_in_its_old_state(hub):
    old = hub.publish_model("test_resnet", seed=1)
    fetch()
    hub.publish_model("test_resnet", seed=2)
    evict()
    assert fetch() == old


def test_a_newer_state_that_others_downloaded_is_not_taken_in_its_place(hub):
    old = hub.publish_model("test_resnet", seed=1)
    fetch()
    new = hub.publish_model("test_resnet", seed=2)
    assert download_as_others_do(REPOSITORY, NAME).read_bytes() == new
    assert fetch() == old
    evict()
    assert fetch() == old


def test_a_state_that_the_hub_no_longer_has(hub):
    hub.publish_model("test_resnet", seed=1)
    fetch()
    [commit] = hub.repositories[REPOSITORY]
    new = weights("test_resnet", 2)
    hub.publish(REPOSITORY, {NAME: new})
    del hub.repositories[REPOSITORY][commit]
    evict()
    message = refusal(fetch)
    assert f"This machine computed with their commit {commit[:12]} before" in message
    assert "weights_sha256 in the manifest asks for another" in message
    sha256 = hashlib.sha256(new).hexdigest()
    assert fetch(hub_line("test_resnet", weights_sha256=sha256)) == new


def test_a_manifest_that_states_the_digest_gets_that_file_or_none(hub):
    old = hub.publish_model("test_resnet", seed=1)
    new = weights("test_resnet", 2)
    pinned = hub_line("test_resnet", weights_sha256=hashlib.sha256(new).hexdigest())
    assert fetch() == old
    message = refusal(fetch, pinned)
    assert f"SHA-256 {hashlib.sha256(old).hexdigest()[:12]}… there, but should have" in message
    hub.publish(REPOSITORY, {NAME: new})
    assert fetch(pinned) == new
    hub.requests.clear()
    assert [fetch(), fetch(pinned)] == [old, new]  # both are here now, each for its own lines
    assert hub.requests == []


def test_what_others_had_first_is_the_state_to_keep_to(hub):
    old = hub.publish_model("test_resnet", seed=1)
    path = download_as_others_do(REPOSITORY, NAME)
    fetch()
    with Ledger().read() as book:
        known = book.known(f"{REPOSITORY}/{NAME}")
    assert (known.commit, known.sha256) == (place_of(path)[0], hashlib.sha256(old).hexdigest())
    hub.publish_model("test_resnet", seed=2)
    path.resolve().unlink()
    path.unlink()
    assert fetch() == old
