import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.datasets.images import colours, encode, noise, png, write_classes, write_folder
from zoo_eval.datasets import DatasetSpec, load_dataset, rgb
from zoo_eval.errors import DatasetError


def load(source, *, strict=False, **choice):
    return load_dataset(DatasetSpec(str(source), **choice), strict=strict)


def decoded(tmp_path, content: bytes, name: str = "x.png") -> np.ndarray:
    """The image as the dataset gives it back."""
    write_folder(tmp_path, {"a": {name: content}, "b": {"other.png": png(1)}})
    dataset = load(tmp_path, strict=True)
    assert dataset[0].mode == "RGB"
    return np.asarray(dataset[0])


def grey(values) -> np.ndarray:
    return np.repeat(np.asarray(values)[..., None], 3, axis=2)


@pytest.fixture
def no_decoder(monkeypatch):
    def fail(content):
        raise AssertionError("an image was decoded again")

    def switch_off():
        monkeypatch.setattr(rgb, "_rgb", fail)

    return switch_off


def test_images_are_decoded_once(tmp_path, no_decoder):
    write_classes(tmp_path, {"a": [1, 2], "b": [3]})
    first = load(tmp_path)
    no_decoder()
    again = load(tmp_path)
    assert again == first
    assert colours(again) == [1, 2, 3]
    # A part of the images is another dataset, and is decoded.
    with pytest.raises(DatasetError, match=r"2 of 2 images cannot be read.*was decoded again"):
        load(tmp_path, images_per_class=1, seed=1)


def test_the_skipped_are_not_tried_again_either(tmp_path, no_decoder):
    write_folder(tmp_path, {"a": {"1.png": png(1), "2.png": b"no"}, "b": {"3.png": png(3)}})
    first = load(tmp_path)
    no_decoder()
    assert load(tmp_path).skipped == first.skipped == (("a/2.png", "2 bytes that are no image"),)


def test_16_bit_grey_png(tmp_path):
    values = np.linspace(0, 65535, 600).round().astype(np.uint16).reshape(20, 30)
    seen = decoded(tmp_path, encode(Image.fromarray(values)))
    np.testing.assert_array_equal(seen, grey(np.round(values.astype(float) * 255 / 65535)))


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey_with_and_without_alpha_and_bilevel(tmp_path, mode):
    image = noise(0, 9, 5).convert(mode)
    seen = decoded(tmp_path, encode(image))
    np.testing.assert_array_equal(seen, grey(np.asarray(image.convert("L"))))


@pytest.mark.parametrize("transparency", [None, 3, bytes(range(8))])
def test_palette(tmp_path, transparency):
    table = np.random.default_rng(0).integers(0, 256, (8, 3)).astype(np.uint8)
    places = np.arange(40).reshape(5, 8) % 8
    image = Image.fromarray(places.astype(np.uint8), "L").convert("P")
    image.putpalette(table.ravel().tolist())
    options = {} if transparency is None else {"transparency": transparency}
    content = encode(image, **options)
    with Image.open(io.BytesIO(content)) as reopened:
        assert reopened.mode == "P"
    np.testing.assert_array_equal(decoded(tmp_path, content), table[places])


def test_rgba_keeps_its_colours(tmp_path):
    rgb = np.asarray(noise(1, 7, 4))
    alpha = np.linspace(0, 255, 28).astype(np.uint8).reshape(4, 7, 1)
    content = encode(Image.fromarray(np.concatenate([rgb, alpha], axis=2)))
    np.testing.assert_array_equal(decoded(tmp_path, content), rgb)


def test_cmyk_jpeg(tmp_path):
    colour = np.array([200, 120, 40])  # C, M, Y = 255 − R, G, B and no black
    image = Image.new("CMYK", (16, 8), (*(255 - colour).tolist(), 0))
    seen = decoded(tmp_path, encode(image, "JPEG", quality=100), "x.jpg")
    assert seen.shape == (8, 16, 3)
    assert abs(seen.astype(int) - colour).max() <= 2  # JPEG's own loss


# What each EXIF orientation says of the stored rows and columns (EXIF 2.32, tag 274).
UPRIGHT = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: np.rot90(x),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_jpeg_that_exif_says_is_rotated(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    content = encode(noise(2, 24, 16), "JPEG", exif=exif, quality=95)
    with Image.open(io.BytesIO(content)) as stored:
        expected = UPRIGHT[orientation](np.asarray(stored))
    np.testing.assert_array_equal(decoded(tmp_path, content, "x.jpg"), expected)


JPEG = encode(noise(3, 64, 64), "JPEG")
BROKEN = {
    "truncated.jpg": (JPEG[: len(JPEG) // 2], "truncated"),
    "empty.png": (b"", "0 bytes that are no image"),
    "text.png": (b"this is no image", "16 bytes that are no image"),
    "bomb.png": (encode(Image.new("L", (200, 200))), "decompression bomb"),
}


@pytest.fixture
def small_limit(monkeypatch):
    """PIL refuses images of more than twice this many pixels."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 8000)


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("name", BROKEN)
def test_an_unreadable_image_is_skipped_and_counted_or_refused(tmp_path, name):
    content, reason = BROKEN[name]
    write_folder(tmp_path, {"a": {"0.png": png(1), name: content}, "b": {"2.png": png(2)}})
    dataset = load(tmp_path)
    assert (colours(dataset), dataset.labels) == ([1, 2], (0, 1))
    [(skipped, why)] = dataset.skipped
    assert skipped == f"a/{name}"
    assert reason in why
    assert json.loads(dataset.recipe)["skipped"] == 1
    with pytest.raises(DatasetError) as caught:
        load(tmp_path, strict=True)
    assert str(caught.value) == (f"1 of 3 images cannot be read, for example a/{name}: {why}.")


@pytest.mark.usefixtures("small_limit")
def test_several_unreadable_images_keep_labels_and_views_in_step(tmp_path):
    broken = {f"{name}": content for name, (content, _) in BROKEN.items()}
    write_folder(tmp_path, {"a": {**broken, "x.png": png(1)}, "b": {"0.png": b"", "1.png": png(2)}})
    dataset = load(tmp_path, crops=2, crop_scale=(0.5, 0.6))
    assert (colours(dataset), dataset.labels) == ([1, 1, 2, 2], (0, 0, 1, 1))
    assert [name for name, _ in dataset.skipped] == [*(f"a/{n}" for n in sorted(BROKEN)), "b/0.png"]


def test_whatever_a_decoder_raises_skips_only_its_image(tmp_path, monkeypatch):
    # A damaged AVIF file gives RuntimeError, for one.
    real = rgb._rgb
    write_classes(tmp_path, {"a": [101, 102], "b": [103]})

    def raising(content):
        if content == png(102):
            raise RuntimeError("Failed to decode image\nin two lines")
        return real(content)

    monkeypatch.setattr(rgb, "_rgb", raising)
    assert load(tmp_path).skipped == (("a/102.png", "Failed to decode image"),)


def test_no_readable_image_at_all_or_in_a_class(tmp_path):
    write_folder(tmp_path, {"a": {"1.png": b"x"}, "b": {"2.png": b"yy"}})
    with pytest.raises(DatasetError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        "2 of 2 images cannot be read, for example a/1.png: 1 bytes that are no image."
    )
    write_folder(tmp_path, {"a": {"1.png": png(1)}})
    with pytest.raises(DatasetError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"Class 'b' of {tmp_path} has no image left: of 2 images, 1 cannot be read."
    )


def test_the_skipped_are_named_as_in_this_source(tmp_path):
    for name in ("one", "two"):
        contents = {"a": {f"{name}.png": b"broken", "0.png": png(1)}, "b": {"0.png": png(2)}}
        dataset = load(write_folder(tmp_path / name, contents))
        assert [skipped for skipped, _ in dataset.skipped] == [f"a/{name}.png"]


def test_a_cache_folder_that_cannot_be_written(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(file / "below"))
    write_classes(tmp_path / "images", {"a": [1], "b": [2]})
    with pytest.raises(DatasetError) as caught:
        load(tmp_path / "images")
    message = str(caught.value)
    assert f"Decoded images cannot be kept in {file / 'below' / 'decoded'}: " in message
    assert "ZOO_EVAL_CACHE names another folder." in message
    assert "\n" not in message


def test_an_interruption_leaves_nothing_half_written(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(tmp_path / "cache"))
    write_classes(tmp_path / "images", {"a": [1], "b": [2]})
    real = rgb._rgb

    def interrupted(content):
        if content == png(2):
            raise KeyboardInterrupt
        return real(content)

    monkeypatch.setattr(rgb, "_rgb", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path / "images")
    monkeypatch.setattr(rgb, "_rgb", real)
    assert list((tmp_path / "cache" / "decoded").iterdir()) == []
    assert colours(load(tmp_path / "images")) == [1, 2]


def test_another_process_may_finish_the_same_images_first(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(tmp_path / "cache"))
    write_classes(tmp_path / "images", {"a": [1], "b": [2]})
    load(tmp_path / "images")
    [finished] = (tmp_path / "cache" / "decoded").iterdir()
    finished.rename(tmp_path / "aside")
    real = rgb._rgb

    def meanwhile(content):
        if not finished.exists():
            (tmp_path / "aside").rename(finished)
        return real(content)

    monkeypatch.setattr(rgb, "_rgb", meanwhile)
    assert colours(load(tmp_path / "images")) == [1, 2]
    assert list((tmp_path / "cache" / "decoded").iterdir()) == [finished]


def test_damaged_decoded_images_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(tmp_path / "cache"))
    write_classes(tmp_path / "images", {"a": [1], "b": [2]})
    load(tmp_path / "images")
    [pixels] = (tmp_path / "cache").rglob("pixels.bin")
    pixels.write_bytes(pixels.read_bytes()[:-1])
    n_bytes = 2 * 8 * 6 * 3
    with pytest.raises(DatasetError, match=f"should hold {n_bytes} bytes, but holds {n_bytes - 1}"):
        load(tmp_path / "images")
    pixels.unlink()
    with pytest.raises(DatasetError, match=r"No such file or directory.*pixels\.bin"):
        load(tmp_path / "images")
