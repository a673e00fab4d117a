"""Writes a ranking: a page with its pictures, and the same as JSON."""

import io
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from PIL import Image

from zoo_eval.datasets import Dataset, DatasetSpec, load_dataset
from zoo_eval.errors import ReportError
from zoo_eval.ranking.answer import Ranking
from zoo_eval.report.pages.ranking import Samples, ranking_page
from zoo_eval.report.provenance import provenance
from zoo_eval.report.replacing import replace_file

_OF_EACH, _MOST_CLASSES, _UNLABELLED, _SIZE = 6, 60, 24, 128
_PICTURES, _NO_CLASSES = "samples", ("no labels",)


def write_ranking(ranking: Ranking, spec: DatasetSpec, folder: Path, command: str) -> Path:
    """Write the page, the last of the files, and give its path.

    Args:
        ranking: What it shows.
        spec: The images, to show some of.
        folder: Where to write; made if missing.
        command: The command line, to be stated.

    Raises:
        ReportError: the folder cannot be written.
    """
    n = _OF_EACH if ranking.labelled else _UNLABELLED
    shown = ranking.classes[:_MOST_CLASSES] or None
    dataset = load_dataset(replace(spec, classes=shown, images_per_class=n, at_most=True))
    pictures = list(_pictures(dataset))
    samples = [Samples(name, [file for file, _ in some]) for name, some in pictures if some]
    page = ranking_page(ranking, samples, provenance(command))
    try:
        for name in ("style.css", "tables.js"):
            asset = files("zoo_eval.report") / "static" / name
            replace_file(folder / "static" / name, asset.read_bytes())
        for _, some in pictures:
            for file, content in some:
                replace_file(folder / file, content)
        replace_file(folder / "ranking.json", ranking.to_json().encode())
        replace_file(folder / "index.html", page.encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(
            f"The page cannot be written to {folder}: {reason}. Choose another folder with --out; "
            "the same command ranks again without computing anything twice."
        ) from error
    return folder / "index.html"


def samples_in(folder: Path, ranking: Ranking, prefix: str) -> list[Samples]:
    """The pictures that `write_ranking` has written.

    Args:
        folder: Where it wrote.
        ranking: What it wrote.
        prefix: Where the folder lies, as a page is to name it.
    """
    there = sorted(path.name for path in (folder / _PICTURES).glob("*.webp"))
    return [
        Samples(name, [f"{prefix}{_PICTURES}/{file}" for file in files])
        for number, name in enumerate(ranking.classes or _NO_CLASSES)
        if (files := [file for file in there if file.startswith(f"{number:03}-")])
    ]


def _pictures(dataset: Dataset) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Name of each class, and file and content of its pictures."""
    for number, name in enumerate(dataset.classes or _NO_CLASSES):
        places = [place for place, label in enumerate(dataset.labels) if label == number]
        yield (
            name,
            [
                (f"{_PICTURES}/{number:03}-{i}.webp", _small(dataset[place]))
                for i, place in enumerate(places)
            ],
        )


def _small(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((_SIZE, _SIZE))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=85)
    return buffer.getvalue()
