"""Real images, and a zoo of real, tiny networks."""

from pathlib import Path

import pandas as pd
import pytest

from tests.datasets.images import encode
from tests.zoo import write_zoo
from zoo_eval import Store
from zoo_eval.datasets import DatasetSpec, load_dataset

CLASSES = ("Trouser", "Bag", "Sneaker")


def write_images(folder: Path, per_class: int) -> Path:
    """Fashion images in one folder per class."""
    dataset = load_dataset(DatasetSpec("fashion", CLASSES, per_class))
    for place in range(len(dataset)):
        file = folder / dataset.classes[dataset.labels[place]] / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        dataset[place].save(file)
    return folder


@pytest.fixture(scope="session")
def clothes(tmp_path_factory) -> Path:
    """Twenty images of each of three classes: two rounds. A table, as it is quicker to list."""
    dataset = load_dataset(DatasetSpec("fashion", CLASSES, 20))
    images = [encode(dataset[place]) for place in range(len(dataset))]
    path = tmp_path_factory.mktemp("images") / "clothes.parquet"
    names = [dataset.classes[label] for label in dataset.labels]
    pd.DataFrame({"image": images, "label": names}).to_parquet(path)
    return path


@pytest.fixture(scope="session")
def zoo(tmp_path_factory) -> Path:
    """A manifest of four networks."""
    return write_zoo(tmp_path_factory.mktemp("zoo"), 4)


@pytest.fixture
def fresh_store(store, tmp_path) -> Store:
    """A store that has nothing but what this machine's calibration took seconds to measure."""
    fresh = Store(tmp_path / "fresh.duckdb")
    for row in store.sql("FROM calibrations").itertuples():
        fresh.keep_calibration(row.machine, row.quantity, row.value)
    return fresh
