import itertools
import json
import pickle

import numpy as np
import pytest

from tests.datasets.images import colours, png, write_classes, write_folder, write_parquet
from zoo_eval.datasets import DatasetSpec, load_dataset

CLASSES = {"a": list(range(10)), "b": list(range(20, 35)), "c": list(range(40, 52))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("abc"), CLASSES)


def load(source, **choice):
    return load_dataset(DatasetSpec(str(source), **choice))


def by_class(dataset):
    found = {name: [] for name in dataset.classes}
    for colour, label in zip(colours(dataset), dataset.labels, strict=True):
        found[dataset.classes[label]].append(colour)
    return found


def test_all_images_class_by_class(folder):
    dataset = load(folder)
    assert by_class(dataset) == CLASSES
    assert dataset.labels == (0,) * 10 + (1,) * 15 + (2,) * 12


def test_classes_are_kept_in_the_order_of_the_source(folder):
    dataset = load(folder, classes=("c", "a", "c"))
    assert by_class(dataset) == {"a": CLASSES["a"], "c": CLASSES["c"]}
    assert dataset.digest == load(folder, classes=("a", "c")).digest


def test_n_images_of_each_class_without_repeats_in_the_order_of_the_source(folder):
    chosen = by_class(load(folder, images_per_class=6))
    for name, images in chosen.items():
        assert len(images) == 6
        assert images == sorted(set(images))
        assert set(images) < set(CLASSES[name])


def test_the_choice_is_drawn_by_the_seed(folder):
    first, again, other = (load(folder, images_per_class=6, seed=s) for s in (1, 1, 2))
    assert first == again
    assert colours(first) != colours(other)
    assert first.digest != other.digest


def test_classes_are_drawn_independently():
    chosen = by_place(load("fashion", images_per_class=20))
    assert len(set(chosen)) == 10


def by_place(dataset):
    """Of each class of the builtin images, which of its 200 were chosen."""
    whole = load("fashion")
    place_of = {whole[place].tobytes(): place % 200 for place in range(2000)}
    assert len(place_of) == 2000
    return [
        tuple(place_of[dataset[place].tobytes()] for place in range(start, start + 20))
        for start in range(0, 200, 20)
    ]


def test_every_image_is_equally_likely(folder):
    drawn = [colours(load(folder, images_per_class=3, seed=seed)) for seed in range(40)]
    counts = np.bincount(np.concatenate(drawn), minlength=52)
    for images in CLASSES.values():
        # Each comes with probability 3/n in each of 40 draws: within four standard deviations.
        share = 3 / len(images)
        off = counts[images] - 40 * share
        assert (abs(off) < 4 * (40 * share * (1 - share)) ** 0.5).all()


def test_what_is_drawn_of_a_class_does_not_depend_on_the_other_classes(folder, tmp_path):
    whole = by_class(load(folder, images_per_class=5))
    for pair in itertools.combinations(CLASSES, 2):
        chosen = by_class(load(folder, images_per_class=5, classes=pair))
        assert chosen == {name: whole[name] for name in pair}
    write_classes(tmp_path, {**CLASSES, "aa": list(range(100, 108))})
    more = by_class(load(tmp_path, images_per_class=5))
    assert {name: more[name] for name in CLASSES} == whole


def test_the_digest_is_of_images_and_labels_not_of_where_they_lie(folder, tmp_path):
    base = load(folder)
    images = [png(colour) for images in CLASSES.values() for colour in images]
    labels = [name for name, images in CLASSES.items() for _ in images]
    parquet = load(write_parquet(tmp_path / "abc.parquet", images, labels))
    assert parquet.digest == base.digest
    # The order of the rows does not matter beyond the order within a class.
    order = sorted(range(len(images)), key=lambda place: (place % 10, place))
    shuffled = sorted(order, key=lambda place: labels[place], reverse=True)
    path = tmp_path / "order.parquet"
    write_parquet(path, [images[i] for i in shuffled], [labels[i] for i in shuffled])
    within = [i for name in CLASSES for i in shuffled if labels[i] == name]
    assert (load(path).digest == base.digest) == (within == list(range(len(images))))


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ("nothing", False),
        ("file names", False),
        ("one image", True),
        ("one label", True),
        ("order within a class", True),
        ("a class's name", True),
        ("an image more", True),
        ("two images swapped between classes", True),
    ],
)
def test_the_digest_changes_with_images_labels_and_order(tmp_path, change, differs):
    def write(name, contents):
        return load(write_folder(tmp_path / name, contents)).digest

    def base():
        return {"a": {"1.png": png(1), "2.png": png(2)}, "b": {"3.png": png(3), "4.png": png(4)}}

    other = base()
    match change:
        case "file names":
            other["a"] = {"x.png": png(1), "y.png": png(2)}
        case "one image":
            other["b"]["4.png"] = png(5)
        case "one label":
            other["a"]["3.png"] = other["b"].pop("3.png")
        case "order within a class":
            other["a"] = {"1.png": png(2), "2.png": png(1)}
        case "a class's name":
            other["c"] = other.pop("b")
        case "an image more":
            other["b"]["5.png"] = png(5)
        case "two images swapped between classes":
            other["a"]["2.png"], other["b"]["3.png"] = png(3), png(2)
    assert (write("base", base()) != write("other", other)) == differs


def test_the_digest_changes_with_the_views(folder):
    digests = [
        load(folder, crops=crops, seed=seed, crop_scale=scale).digest
        for crops, seed, scale in (
            (0, 0, (0.5, 0.9)),
            (1, 0, (0.5, 0.9)),
            (2, 0, (0.5, 0.9)),
            (1, 1, (0.5, 0.9)),
            (1, 0, (0.2, 0.9)),
        )
    ]
    assert len(set(digests)) == 5
    # Without crops and without a draw, the seed decides nothing.
    assert load(folder, seed=3).digest == digests[0]


def test_label_and_recipe_say_which_dataset_it_is(folder):
    dataset = load(folder, classes=("b", "a"), images_per_class=4, seed=7)
    assert dataset.label == f"{folder.name}@{dataset.digest[:8]}"
    assert json.loads(dataset.recipe) == {
        "source": folder.name,
        "classes": ["a", "b"],
        "images_per_class": 4,
        "seed": 7,
        "crops": 0,
        "crop_scale": None,
        "skipped": 0,
    }


def test_the_name_is_the_last_part_of_the_path(folder, monkeypatch):
    assert DatasetSpec("fashion").name == "fashion"
    assert DatasetSpec("some/where/flowers.parquet").name == "flowers"
    monkeypatch.chdir(folder)
    assert DatasetSpec(".").name == folder.name


def test_a_dataset_is_small_to_send_even_after_its_images_were_looked_at(folder):
    dataset = load("fashion", images_per_class=50)
    before = len(pickle.dumps(dataset))
    images = colours(dataset)
    sent = pickle.dumps(dataset)
    assert len(sent) < before + 1000 < 500 * 28 * 28  # far fewer than the pixels
    assert colours(pickle.loads(sent)) == images


def test_pixels_are_rows_of_rgb_values(folder):
    dataset = load(folder, images_per_class=2)
    pixels = dataset.pixels(4)
    assert (pixels.shape, pixels.dtype) == ((6, 4 * 4 * 3), np.float32)
    red = np.array(colours(dataset))[:, None]
    expected = np.concatenate([red, 255 - red, 0 * red + 7], axis=1) / 255
    np.testing.assert_allclose(pixels.reshape(6, 16, 3), np.repeat(expected[:, None], 16, 1), 1e-6)
