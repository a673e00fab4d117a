from io import BytesIO

import numpy as np
import torch
from PIL import Image

from zoo_eval.transforms.jpeg import QUALITIES, jpeg, reencoded


def picture():
    y, x = np.mgrid[:48, :64]
    waves = np.stack([np.sin(x / 3), np.cos(y / 5), np.sin((x + y) / 4)], axis=-1)
    noise = np.random.default_rng(0).normal(0, 10, waves.shape)
    return Image.fromarray((128 + 90 * waves + noise).clip(0, 255).astype(np.uint8))


def psnr(a, b):
    error = np.mean((np.asarray(a, float) - np.asarray(b, float)) ** 2)
    return 10 * np.log10(255**2 / error)


def test_lower_quality_is_farther_from_the_image():
    image = picture()
    found = [psnr(image, reencoded(image, int(quality))) for quality in QUALITIES]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1] + 3


def test_the_same_bytes_as_a_file_of_that_quality():
    image, file = picture(), BytesIO()
    image.save(file, "JPEG", quality=25)
    expected = np.asarray(Image.open(file).convert("RGB"))
    assert np.array_equal(reencoded(image, 25), expected)


def test_a_grey_image_comes_back_the_same():
    grey = Image.new("RGB", (32, 32), (128, 128, 128))
    assert np.array_equal(reencoded(grey, 7), grey)


def test_severities_are_those_of_imagenet_c():
    # https://github.com/hendrycks/robustness: jpeg_compression has c = [25, 18, 15, 10, 7].
    assert QUALITIES[-5:] == (25, 18, 15, 10, 7)


def test_each_level_asks_for_its_quality():
    asked = []

    def altered(alteration):
        asked.append(alteration)
        return [torch.zeros(1, 3, 4, 4)]

    with (
        jpeg(altered).at(torch.nn.Identity(), [torch.zeros(1, 3, 4, 4)], 18.0).transformed as images
    ):
        list(images)
    [alteration] = asked
    assert alteration.name == "jpeg 18"
    image = picture()
    assert np.array_equal(alteration.change(image), reencoded(image, 18))
