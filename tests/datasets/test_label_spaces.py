import pytest

from tests.datasets.test_crops import TWENTY
from zoo_eval.datasets.label_spaces import head_classes, head_places
from zoo_eval.datasets.sources import FASHION_CLASSES


def test_imagenets_outputs_are_its_folders_in_alphabetical_order():
    wnids = head_classes("imagenet-1k")
    assert len(wnids) == 1000
    assert list(wnids) == sorted(set(wnids))
    # https://gist.github.com/yrevar/942d3a0ac09ec9e5eb3a: tench, goldfish, palace, daisy, tissue
    known = {0: "n01440764", 1: "n01443537", 698: "n03877845", 985: "n11939491", 999: "n15075141"}
    assert {place: wnids[place] for place in known} == known


def test_places_of_a_datasets_classes_among_the_outputs():
    classes = tuple(sorted(TWENTY))
    places = head_places("imagenet-1k", classes)
    assert tuple(head_classes("imagenet-1k")[place] for place in places) == classes
    assert head_places("fashion-mnist", ("Bag", "Trouser")) == (8, 1)
    assert head_places("fashion-mnist", FASHION_CLASSES) == tuple(range(10))


@pytest.mark.parametrize(
    ("space", "classes"),
    [("imagenet-1k", ("n01440764", "cat")), ("fashion-mnist", ("bag",)), ("cifar", ("cat",))],
)
def test_a_head_that_lacks_a_class_has_no_places(space, classes):
    assert head_places(space, classes) is None
    assert head_classes("cifar") is None
