"""Near copies: found through what people do to images, not among those that are just alike."""

from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from tests.datasets.images import encode
from tests.ranking.scenes import scene
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.rgb import rgb
from zoo_eval.ranking.inspection.image import SIDE
from zoo_eval.ranking.inspection.near import (
    LEAST_CORRELATION,
    MOST_BITS,
    blank,
    near_copies,
    perceptual_hashes,
)


def thumbnail(image: Image.Image) -> np.ndarray:
    small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(small)


CHANGES = {
    "JPEG": lambda image: rgb(encode(image, "JPEG", quality=30)).image,
    "WebP": lambda image: rgb(encode(image, "WEBP", quality=30)).image,
    "smaller": lambda image: image.resize((57, 43)),
    "larger": lambda image: image.resize((300, 225)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.8),
    "grey": lambda image: image.convert("L").convert("RGB"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_people_do_to_images_is_seen_through(change):
    originals = [scene(seed) for seed in range(20)]
    changed = [CHANGES[change](image) for image in originals]
    groups = near_copies(np.stack([thumbnail(image) for image in [*originals, *changed]]))
    assert (groups[:20] == groups[20:]).all()
    assert len(set(groups.tolist())) == 20


def test_a_flipped_or_cut_image_is_another_one():
    image = scene(1)
    others = [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), image.crop((30, 0, 120, 68))]
    groups = near_copies(np.stack([thumbnail(each) for each in [image, *others]]))
    assert len(set(groups.tolist())) == 3


def test_garments_of_the_same_outline_are_no_copies():
    dataset = load_dataset(DatasetSpec("fashion"))
    thumbnails = np.stack([thumbnail(dataset[place]) for place in range(len(dataset))])
    hashes = perceptual_hashes(thumbnails)
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    assert np.sum(np.triu(bits <= 4, k=1)) > 10  # the hash alone would say so
    groups = near_copies(thumbnails)
    assert len(set(groups.tolist())) == 2000


def by_hand(thumbnails: np.ndarray) -> list[set[int]]:
    """All pairs by the definition, joined one by one."""
    groups = [{place} for place in range(len(thumbnails))]
    rows = thumbnails.reshape(len(thumbnails), -1).astype(float)
    bits = perceptual_hashes(thumbnails).tolist()
    for i, j in combinations(range(len(rows)), 2):
        if rows[i].std() < 1 or rows[j].std() < 1 or (bits[i] ^ bits[j]).bit_count() > MOST_BITS:
            continue
        if np.corrcoef(rows[i], rows[j])[0, 1] >= LEAST_CORRELATION:
            joined = [group for group in groups if group & {i, j}]
            groups = [group for group in groups if group not in joined] + [set.union(*joined)]
    return sorted(groups, key=min)


@pytest.mark.parametrize("noise", [0, 4, 8, 12, 16])
def test_the_same_groups_as_from_all_pairs(noise):
    rng = np.random.default_rng(noise)
    base = [thumbnail(scene(seed)) for seed in range(12)]
    grey = [np.full((SIDE, SIDE), 90, dtype=np.uint8)] * 3
    copies = [base[seed % 12] + rng.normal(0, noise, (SIDE, SIDE)) for seed in range(60)]
    thumbnails = np.clip(np.stack([*base, *grey, *copies]), 0, 255).astype(np.uint8)
    wanted = by_hand(thumbnails)
    groups: dict[int, set[int]] = {}
    for place, group in enumerate(near_copies(thumbnails).tolist()):
        groups.setdefault(group, set()).add(place)
    assert sorted(groups.values(), key=min) == wanted
    if noise == 0:
        assert len(wanted) == 15


def test_one_image_ten_thousand_times_is_one_group():
    # All pairs would be fifty million.
    copies = np.repeat(thumbnail(scene(1))[None], 10_000, axis=0)
    copies[:, 0, 0] = np.arange(10_000) % 7
    assert set(near_copies(copies).tolist()) == {0}


def test_images_of_one_colour_are_no_copies():
    flat = np.stack([np.full((SIDE, SIDE), grey, dtype=np.uint8) for grey in (0, 0, 255)])
    assert blank(flat).all()
    assert len(set(near_copies(flat).tolist())) == 3


def test_no_image_or_one():
    none = np.empty((0, SIDE, SIDE), dtype=np.uint8)
    assert (len(near_copies(none)), len(blank(none))) == (0, 0)
    assert near_copies(thumbnail(scene(1))[None]).tolist() == [0]
