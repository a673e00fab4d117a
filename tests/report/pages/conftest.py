"""The tiny store of the report's tests as a zoo, and links such as a server would make."""

import json
from urllib.parse import quote

import pytest

from tests.report.conftest import MADE, FakeStore
from zoo_eval.report import collect, findings
from zoo_eval.report.definitions import definitions
from zoo_eval.report.pages.zoo import Zoo


class ServedLinks:
    """Paths, as the service has them."""

    live = True
    truth = ""

    def judged_by(self, truth):
        return f"?truth={truth}"

    def predictions(self, method):
        return f"/predictions?method={method}"

    def leaderboard(self, query):
        text = query.to_string()
        return f"/?{text}" if text else "/"

    def download(self, query, kind):
        return f"/leaderboard.{kind}?{query.to_string()}"

    def scores(self):
        return "/scores"

    def score(self, label):
        return f"/scores/{quote(label, safe='')}"

    def model(self, name):
        return f"/models/{quote(name, safe='')}"

    def compare(self, models=(), scores=()):
        return "/compare"

    def ensembles(self):
        return ""

    def rank(self):
        return "/rank"

    def runs(self):
        return "/runs"

    def about(self):
        return "/about"

    def asset(self, name):
        return f"/static/{name}"

    def figure(self, name):
        return ""


@pytest.fixture(scope="session")
def links():
    return ServedLinks()


def details(model):
    """A manifest line as the store keeps it."""
    return json.dumps({"model": model, "label_space": "imagenet-1k"})


def zoo_of(store, made, *, with_accuracy=True):
    data = collect(store, store.DEFAULTS)
    found = findings(data, resamples=20) if with_accuracy else None
    return Zoo(data, found, definitions(), made)


@pytest.fixture
def make_zoo(made):
    """A zoo of a store that a test has changed."""
    return lambda store, **how: zoo_of(store, made, **how)


@pytest.fixture(scope="session")
def zoo():
    """The zoo of the store as it is; no test may change it."""
    store = FakeStore()
    models = store.tables["models"]
    models["details"] = [details(model) for model in models["model"]]
    return zoo_of(store, MADE)
