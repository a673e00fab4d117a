import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo_eval.datasets.batches import balanced_places

LABELS = st.lists(st.integers(0, 5), min_size=1, max_size=60)


@given(LABELS, st.integers(1, 80), st.integers(0, 10))
@settings(deadline=None)
def test_classes_take_turns_until_they_run_out(labels, n, seed):
    places = balanced_places(labels, n, seed)
    assert len(places) == len(set(places)) == min(n, len(labels))
    counts = np.bincount([labels[place] for place in places], minlength=6)
    there = np.bincount(labels, minlength=6)
    # No class has two more than another that has some left.
    unfinished = counts < there
    if unfinished.any():
        assert counts.max() <= counts[unfinished].min() + 1
    assert places == balanced_places(labels, n, seed)


@given(st.integers(1, 8), st.integers(1, 40), st.integers(0, 10))
@settings(deadline=None)
def test_balanced_labels_give_each_class_its_share(n_classes, n, seed):
    labels = list(range(n_classes)) * 40
    counts = np.bincount([labels[i] for i in balanced_places(labels, n, seed)], minlength=n_classes)
    assert set(counts) <= {n // n_classes, -(-n // n_classes)}


def test_unbalanced_classes():
    labels = [0] * 50 + [1] * 3
    places = balanced_places(labels, 10, 0)
    assert sorted(labels[place] for place in places) == [0] * 7 + [1] * 3
    assert {50, 51, 52} < set(places)


def test_the_images_are_drawn_by_the_seed():
    labels = [0, 1] * 500
    first, second = (balanced_places(labels, 100, seed) for seed in (0, 1))
    assert first != second
    assert len(set(first) & set(second)) < 40  # one in ten by chance, not the first of each class


def test_fewer_are_a_part_of_more():
    labels = [0, 1, 2] * 20
    more = balanced_places(labels, 30, 4)
    assert balanced_places(labels, 12, 4) == more[:12]
