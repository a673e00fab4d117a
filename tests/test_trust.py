import numpy as np
import pytest
from scipy.stats import beta

from tests.lines import line
from zoo_eval.datasets import Dataset
from zoo_eval.datasets.label_spaces import head_classes
from zoo_eval.datasets.sources import FASHION_CLASSES
from zoo_eval.trust import trust_gate

IMAGENET = {"label_space": "imagenet-1k"}


def dataset(classes, labels, box=None):
    return Dataset(
        name="photos",
        digest="0123456789abcdef",
        classes=tuple(classes),
        labels=tuple(int(label) for label in labels),
        decoded="",
        views=tuple((place, box) for place in range(len(labels))),
        recipe="{}",
        skipped=(),
    )


def network(outputs, right, n_outputs, seed=0):
    """Logits whose largest is the right output where `right` says so, and another elsewhere."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(outputs), n_outputs))
    wrong = (outputs + rng.integers(1, n_outputs, len(outputs))) % n_outputs
    logits[np.arange(len(outputs)), np.where(right, outputs, wrong)] = 9
    return logits


@pytest.fixture
def fashion():
    """2,000 images, in the head's own order of classes; 80 % are recognised."""
    labels = np.repeat(np.arange(10), 200)
    right = np.arange(2000) % 5 > 0
    return dataset(FASHION_CLASSES, labels), network(labels, right, 10)


def test_the_right_network_is_trusted(fashion):
    images, logits = fashion
    trust = trust_gate(line("net.x", fashion_top1="0.81"), images, logits)
    assert (trust.model, trust.dataset, trust.n_images) == ("net.x", "photos@01234567", 2000)
    assert (trust.measured, trust.published) == (0.8, 0.81)
    assert trust.trusted


@pytest.mark.parametrize("shuffle", ["images", "outputs"])
def test_shuffled_logits_are_not(fashion, shuffle):
    images, logits = fashion
    shuffled = np.random.default_rng(1).permutation(logits, axis=0 if shuffle == "images" else 1)
    trust = trust_gate(line("net.x", fashion_top1="0.81"), images, shuffled)
    assert not trust.trusted
    assert trust.measured < 0.4


@pytest.mark.parametrize("n_right", [0, 1, 37, 500, 999, 1000])
def test_the_interval_is_clopper_and_pearsons(n_right):
    labels = np.arange(1000) % 10
    right = np.arange(1000) < n_right
    trust = trust_gate(
        line("net.x", fashion_top1="0.5"),
        dataset(FASHION_CLASSES, labels),
        network(labels, right, 10),
    )
    tail = (1 - 0.999) / 2
    low = beta.ppf(tail, n_right, 1000 - n_right + 1) if n_right else 0
    high = beta.ppf(1 - tail, n_right + 1, 1000 - n_right) if n_right < 1000 else 1
    assert trust.measured == n_right / 1000
    assert trust.low == pytest.approx(low, rel=1e-9, abs=1e-12)
    assert trust.high == pytest.approx(high, rel=1e-9)
    assert trust.trusted == (low <= 0.5 <= high)


def test_a_datasets_classes_may_be_in_another_order_than_the_outputs():
    wnids = head_classes("imagenet-1k")
    places = np.random.default_rng(2).permutation(1000)  # output of each class of the dataset
    labels = np.repeat(np.arange(1000), 2)
    right = np.arange(2000) % 4 > 0
    images = dataset([wnids[place] for place in places], labels)
    logits = network(places[labels], right, 1000)
    trust = trust_gate(line("net.x", **IMAGENET, imagenet_top1="0.76"), images, logits)
    assert (trust.measured, trust.trusted) == (0.75, True)
    unsorted = network(labels, right, 1000)
    assert not trust_gate(line("net.x", **IMAGENET, imagenet_top1="0.76"), images, unsorted).trusted


@pytest.mark.parametrize(
    ("cells", "classes", "box"),
    [
        ({"fashion_top1": "0.8"}, FASHION_CLASSES[:9], None),  # a part of the classes
        ({"fashion_top1": "0.8"}, ("cat", *FASHION_CLASSES[:9]), None),  # other classes
        ({"label_space": "birds", "fashion_top1": "0.8"}, FASHION_CLASSES, None),
        ({}, FASHION_CLASSES, None),  # nothing published
        ({**IMAGENET, "imagenet_top1": "0.8"}, FASHION_CLASSES, None),
        ({"imagenet_top1": "0.8"}, FASHION_CLASSES, None),  # published for other images
        ({"fashion_top1": "0.8"}, FASHION_CLASSES, (0, 0, 9, 9)),  # crops, not whole images
    ],
)
def test_what_cannot_be_compared_gives_no_verdict(cells, classes, box):
    labels = np.arange(90) % len(classes)
    logits = network(labels, labels >= 0, 10)
    assert trust_gate(line("net.x", **cells), dataset(classes, labels, box), logits) is None
