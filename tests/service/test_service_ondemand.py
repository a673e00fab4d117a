"""Statistics that take long: computed apart, kept, and said to have failed if they did."""

import pytest

from tests.service.test_service_snapshot import wait_for
from zoo_eval import Store
from zoo_eval.report.details import details
from zoo_eval.service.live import Live
from zoo_eval.service.ondemand import OnDemand


@pytest.fixture(scope="module")
def ondemand(filled):
    live = Live(Store(filled))
    live.refresh()
    ondemand = OnDemand(live, resamples=20)
    yield ondemand
    ondemand.stop()


def test_details_are_those_of_the_report(ondemand, filled):
    answer = wait_for(lambda: ondemand.details("fashion_top1", "naswot"))
    data = answer.snapshot.data
    expected = details(data, "fashion_top1", ["naswot"], resamples=20)["naswot"]
    assert answer.value.subsets.equals(expected.subsets)
    assert answer.value.influence.equals(expected.influence)
    assert ondemand.details("fashion_top1", "naswot") is answer  # kept


def test_a_score_that_is_gone_has_no_details(ondemand):
    assert ondemand.details("fashion_top1", "nosuch") is None


def test_what_failed_is_said_to_have_failed_and_is_not_tried_at_once(ondemand, caplog):
    answer = wait_for(lambda: ondemand.predictions("nosuch"))
    assert answer.value is None
    assert "computing ('predictions', 'nosuch') failed: KeyError" in caplog.text
    assert ondemand.predictions("nosuch") is answer
