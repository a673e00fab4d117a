import numpy as np
import pytest
from scipy.stats import kstest

from tests.datasets.images import encode, noise, write_folder
from zoo_eval.datasets import SUBSETS, DatasetSpec, load_dataset
from zoo_eval.datasets.spec import IMAGENETTE, IMAGEWOOF

# The folders of Imagenette and of Imagewoof, from their own README:
# https://github.com/fastai/imagenette
TWENTY = [
    *("n01440764", "n02102040", "n02979186", "n03000684", "n03028079"),
    *("n03394916", "n03417042", "n03425413", "n03445777", "n03888257"),
    *("n02086240", "n02087394", "n02088364", "n02089973", "n02093754"),
    *("n02096294", "n02099601", "n02105641", "n02111889", "n02115641"),
]


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory):
    """Like ImageNet's validation folder: the twenty classes and one more, images of all shapes."""
    rng = np.random.default_rng(0)
    contents = {
        name: {
            f"{place}.png": encode(noise(place, *map(int, rng.integers(1, 40, 2))))
            for place in range(3)
        }
        for name in [*TWENTY, "n00000001"]
    }
    return write_folder(tmp_path_factory.mktemp("imagenet"), contents)


def protocol(imagenet, k, **changes):
    named = {**SUBSETS["imagenette-imagewoof-crops"], "images_per_class": k, **changes}
    return load_dataset(DatasetSpec(str(imagenet), **named))


def test_the_papers_protocol():
    assert set(TWENTY) == set(IMAGENETTE + IMAGEWOOF)
    named = SUBSETS["imagenette-imagewoof-crops"]
    assert named == {
        "classes": IMAGENETTE + IMAGEWOOF,
        "images_per_class": 50,
        "crops": 3,
        "crop_scale": (0.6, 1.6),
    }
    assert len(named["classes"]) * named["images_per_class"] * named["crops"] == 3000


def test_twenty_classes_k_images_three_crops(imagenet):
    dataset = protocol(imagenet, 2)
    assert len(dataset) == 20 * 2 * 3
    assert dataset.classes == tuple(sorted(TWENTY))
    assert np.bincount(dataset.labels).tolist() == [6] * 20
    assert dataset.cropped
    images = [image for image, _ in dataset.views]
    assert images == [place for place in range(40) for _ in range(3)]


def test_every_box_lies_inside_its_image_and_shows_that_part_of_it(imagenet):
    cropped, whole = protocol(imagenet, 3), protocol(imagenet, 3, crops=0)
    for place, (image, box) in enumerate(cropped.views):
        left, upper, right, lower = box
        pixels = np.asarray(whole[image])
        height, width, _ = pixels.shape
        assert 0 <= left < right <= width
        assert 0 <= upper < lower <= height
        np.testing.assert_array_equal(np.asarray(cropped[place]), pixels[upper:lower, left:right])


def test_crops_are_reproducible_and_drawn_by_the_seed(imagenet):
    first, again, other = (protocol(imagenet, 2, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.views != other.views


def boxes(tmp_path, size, scale, crops=400):
    image = encode(noise(0, *size))
    folder = write_folder(tmp_path, {"a": {"1.png": image}, "b": {"2.png": image}})
    spec = DatasetSpec(str(folder), crops=crops, crop_scale=scale)
    return np.array([box for _, box in load_dataset(spec).views])


def test_area_and_position_are_uniform_and_aspect_ratio_log_uniform(tmp_path):
    # The definition of torchvision's RandomResizedCrop, where every drawn crop fits.
    left, upper, right, lower = boxes(tmp_path, (400, 400), (0.2, 0.5)).T
    w, h = right - left, lower - upper
    # Widths are rounded to 1/400: far below what 800 draws can tell.
    assert kstest(w * h / 400**2, "uniform", (0.2, 0.3)).pvalue > 0.01
    log_ratio = np.log(w / h)
    assert kstest(log_ratio, "uniform", (-np.log(4 / 3), 2 * np.log(4 / 3))).pvalue > 0.01
    assert kstest((left + 0.5) / (400 - w + 1), "uniform").pvalue > 0.01
    assert kstest((upper + 0.5) / (400 - h + 1), "uniform").pvalue > 0.01
    # The two images have their own draws.
    assert not np.array_equal(left[:400], left[400:])


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((30, 40), (0, 0, 30, 40)),  # 3:4 is allowed: the whole image
        ((40, 30), (0, 0, 40, 30)),
        ((35, 35), (0, 0, 35, 35)),
        ((60, 30), (10, 0, 50, 30)),  # 2:1 is not: 4:3 of it, in the middle
        ((30, 60), (0, 10, 30, 50)),
        ((1, 9), (0, 4, 1, 5)),
    ],
)
def test_a_crop_that_never_fits_is_the_largest_centred_one(tmp_path, size, box):
    assert boxes(tmp_path, size, (2.0, 3.0), crops=1).tolist() == [list(box)] * 2
