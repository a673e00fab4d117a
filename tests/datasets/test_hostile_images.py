"""Odd and hostile images: decoded rightly or refused by name, and no dataset runs code."""

import io
import os
import pickle
import struct
import tarfile
import warnings
import zlib

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image, features

from tests.datasets.images import (
    colours,
    encode,
    noise,
    png,
    write_classes,
    write_folder,
    write_parquet,
    write_shard,
)
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.errors import DatasetError


def load(source):
    return load_dataset(DatasetSpec(str(source)))


def decoded(tmp_path, content: bytes) -> np.ndarray:
    """The image as the dataset gives it back."""
    write_folder(tmp_path, {"a": {"x.png": content}, "b": {"other.png": png(1)}})
    dataset = load(tmp_path)
    assert dataset.skipped == ()
    return np.asarray(dataset[0])


def why_skipped(tmp_path, content: bytes) -> str:
    """Why the image, beside two good ones, is left out."""
    contents = {"a": {"1.png": png(1), "x.png": content}, "b": {"2.png": png(2)}}
    dataset = load(write_folder(tmp_path, contents))
    assert colours(dataset) == [1, 2]
    [(name, reason)] = dataset.skipped
    assert name == "a/x.png"
    assert "\n" not in reason
    return reason


def chunk(kind: bytes, data: bytes) -> bytes:
    """One of a PNG file's parts (RFC 2083, 3.2)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, colour: int, bits: int, rows: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


# 16 bits and more


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (6, 4)])
def test_16_bit_colour_png(tmp_path, colour, channels):
    values = np.random.default_rng(0).integers(0, 2**16, (4, 5, channels)).astype(np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    seen = decoded(tmp_path, png_of(5, 4, colour, 16, rows))
    assert np.abs(seen - values[..., :3] / 257.0).max() <= 1  # PIL keeps the upper eight bits


@pytest.mark.parametrize("order", [">u2", "<u2"])
def test_16_bit_grey_tiff_of_either_byte_order(tmp_path, order):
    values = np.linspace(0, 65535, 20).astype(np.uint16).reshape(4, 5)
    mode = "I;16B" if order == ">u2" else "I;16"
    image = Image.frombytes(mode, (5, 4), values.astype(order).tobytes())
    seen = decoded(tmp_path, encode(image, "TIFF"))
    np.testing.assert_array_equal(seen[..., 0], np.round(values / 257.0))


def test_16_bit_grey_pgm(tmp_path):
    values = np.linspace(0, 65535, 20).astype(">u2")
    seen = decoded(tmp_path, b"P5\n5 4\n65535\n" + values.tobytes())
    np.testing.assert_array_equal(seen[..., 0].ravel(), np.round(values / 257.0))


def test_numbers_whose_white_nobody_states_are_refused(tmp_path):
    real = Image.fromarray(np.linspace(0, 1, 20).astype(np.float32).reshape(4, 5))
    reason = why_skipped(tmp_path / "f", encode(real, "TIFF"))
    assert reason == "its pixels are real numbers, and which one is white is not said"
    for values in (np.linspace(0, 2**31 - 1, 20), np.linspace(-5, 5, 20)):
        integers = Image.fromarray(values.astype(np.int32).reshape(4, 5))
        assert "32 bits" in why_skipped(tmp_path / str(values[0]), encode(integers, "TIFF"))


# Colours


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk(tmp_path, kind):
    image = Image.new("CMYK", (16, 8), (55, 135, 215, 0))
    seen = decoded(tmp_path, encode(image, kind, **({"quality": 100} if kind == "JPEG" else {})))
    assert np.abs(seen.astype(int) - [200, 120, 40]).max() <= 2


def test_palette_gif(tmp_path):
    image = noise(0, 9, 5).quantize(16)
    seen = decoded(tmp_path, encode(image, "GIF"))
    np.testing.assert_array_equal(seen, np.asarray(image.convert("RGB")))


# Several frames


FRAMES = [Image.new("RGB", (8, 6), (colour, 0, 0)) for colour in (10, 100, 200)]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_of_several_frames_the_first(tmp_path, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encode(FRAMES[0], kind, save_all=True, append_images=FRAMES[1:], **options)
    with Image.open(io.BytesIO(content)) as animated:
        assert animated.n_frames == 3
    seen = decoded(tmp_path, content)
    assert seen.shape == (6, 8, 3)
    assert np.abs(seen.astype(int) - [10, 0, 0]).max() <= (2 if kind == "MPO" else 0)


# Rotated by EXIF


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_exif_rotates_once_in_other_formats_than_jpeg_too(tmp_path, kind):
    exif = Image.Exif()
    exif[274] = 6
    options = {"lossless": True} if kind == "WEBP" else {}
    image = noise(2, 8, 4)
    seen = decoded(tmp_path, encode(image, kind, exif=exif, **options))
    np.testing.assert_array_equal(seen, np.rot90(np.asarray(image), -1))


def test_damaged_exif_costs_no_image(tmp_path):
    content = encode(noise(2, 8, 8), "JPEG")
    part = b"Exif\0\0MM\0*garbage and more of it"
    odd = content[:2] + b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part + content[2:]
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(decoded(tmp_path, odd), expected)


# Too little, too much, nothing


KINDS = [
    ("JPEG", True),
    ("PNG", True),
    ("WEBP", True),
    ("GIF", True),
    ("TIFF", True),
    ("BMP", True),
]
KINDS += [("AVIF", features.check("avif")), ("JPEG2000", features.check("jpg_2000"))]


@pytest.mark.parametrize("kind", [kind for kind, there in KINDS if there])
def test_truncated(tmp_path, kind):
    content = encode(noise(3, 64, 64), kind)
    assert why_skipped(tmp_path, content[: len(content) // 2])
    assert why_skipped(tmp_path, content[:20])


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (0, 0)])
def test_no_pixels_at_all(tmp_path, width, height):
    content = png_of(width, height, 2, 8, b"")
    assert why_skipped(tmp_path / "png", content) == f"{len(content)} bytes that are no image"
    assert why_skipped(tmp_path / "ppm", b"P6\n%d %d\n255\n" % (width, height))


def test_bombs(tmp_path):
    """A few bytes that claim gigabytes of pixels, of text, or of colour profile."""
    assert "decompression bomb" in why_skipped(tmp_path / "png", png_of(60000, 60000, 2, 8, b""))
    base = png(7)
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 50_000_000))
    assert "too large" in why_skipped(tmp_path / "text", base[:33] + text + base[33:])
    gif = bytearray(encode(FRAMES[0], "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    assert "decompression bomb" in why_skipped(tmp_path / "gif", bytes(gif))


def test_large_images_and_odd_ones_are_decoded_without_a_warning(tmp_path, monkeypatch):
    """PIL warns of half a bomb; whether it is an error must not depend on how Python was begun."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings(action="error"):
        assert decoded(tmp_path, encode(noise(0, 15, 10))).shape == (10, 15, 3)


# Files that would run code


def test_postscript_is_not_run(tmp_path):
    """PIL hands EPS to Ghostscript, a program that does what the file says."""
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "EPS"
    assert "bytes that are no image" in why_skipped(tmp_path, content)


class Writes:
    """Unpickled, it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def trap(tmp_path):
    """A pickle that shows when it was unpickled."""
    pickle.loads(pickle.dumps(Writes(tmp_path / "proof")))
    (tmp_path / "proof").rmdir()
    yield pickle.dumps(Writes(tmp_path / "proof"))
    assert not (tmp_path / "proof").exists()


def test_pickles_in_a_folder_or_parquet_file_are_no_images(tmp_path, trap):
    assert "bytes that are no image" in why_skipped(tmp_path / "folder", trap)
    path = write_parquet(tmp_path / "x.parquet", [png(1), trap, png(2)], [0, 0, 1])
    dataset = load(path)
    assert colours(dataset) == [1, 2]
    assert dataset.skipped == (("row 1", f"{len(trap)} bytes that are no image"),)
    # As a label it is a name like any other.
    load(write_parquet(tmp_path / "y.parquet", [png(1), png(2)], [trap, b"b"]))


def test_a_pickled_type_in_a_parquet_file_is_not_unpickled(tmp_path, trap):
    """What pyarrow did before 14.0.1: https://nvd.nist.gov/vuln/detail/CVE-2023-47248."""
    said = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": trap}
    fields = [
        pyarrow.field("image", pyarrow.binary(), metadata=said),
        pyarrow.field("label", pyarrow.int64()),
    ]
    path = tmp_path / "x.parquet"
    table = pyarrow.table([[png(1), png(2)], [0, 1]], schema=pyarrow.schema(fields))
    pyarrow.parquet.write_table(table, path)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        assert colours(load(path)) == [1, 2]


@pytest.mark.parametrize("ending", ["pyd", "pickle", "pth", "pt", "npy", "py", "json"])
def test_what_else_is_in_a_shard_is_not_looked_at(tmp_path, trap, ending):
    pytest.importorskip("webdataset")
    samples = {"0.png": png(1), f"0.{ending}": trap, "0.cls": b"0", "1.png": png(2), "1.cls": b"1"}
    write_shard(tmp_path / "shards" / "a.tar", samples)
    assert colours(load(tmp_path / "shards")) == [1, 2]


def test_members_that_would_be_written_elsewhere_or_are_no_files(tmp_path):
    pytest.importorskip("webdataset")
    path = tmp_path / "shards" / "a.tar"
    samples = {"../out.png": png(1), "../out.cls": b"0", "/tmp/x.png": png(2), "/tmp/x.cls": b"1"}
    write_shard(path, samples)
    with tarfile.open(path, "a") as shard:
        for name, kind in (("l.png", tarfile.SYMTYPE), ("d.png", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            shard.addfile(info)
    before = set(tmp_path.rglob("*"))
    assert colours(load(tmp_path / "shards")) == [1, 2]
    assert set(tmp_path.rglob("*")) == before


def test_a_member_larger_than_its_shard(tmp_path):
    """GNU tar's sparse files: a terabyte of zeros in one block."""
    pytest.importorskip("webdataset")
    path = write_shard(tmp_path / "a.tar", {"0.png": png(1), "0.cls": b"0"})
    info = tarfile.TarInfo("1.png")
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[156:157] = tarfile.GNUTYPE_SPARSE
    head[386 : 386 + 24] = b"%011o\0%011o\0" % (0, 0)
    head[483 : 483 + 12] = b"%011o\0" % (2**33 - 1)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    content = path.read_bytes()[: 4 * 512]
    path.write_bytes(content + bytes(head) + bytes(1024))
    with pytest.raises(DatasetError, match=r"a\.tar holds 1\.png of 8,589,934,591 bytes; encoded"):
        load(tmp_path)


@pytest.mark.parametrize("what", ["pipe", "device"])
def test_a_file_that_never_ends(tmp_path, what):
    write_classes(tmp_path, {"a": [1], "b": [2]})
    if what == "pipe":
        os.mkfifo(tmp_path / "a" / "x.png")
    else:
        (tmp_path / "a" / "x.png").symlink_to("/dev/zero")
    with pytest.raises(DatasetError, match=r"Image a/x\.png cannot be opened: it is no regular"):
        load(tmp_path)
