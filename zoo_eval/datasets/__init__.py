"""Datasets: fixed, digest-named choices of labelled images, decoded once."""

from zoo_eval.datasets.dataset import Dataset, load_dataset
from zoo_eval.datasets.spec import SUBSETS, DatasetSpec

__all__ = ["SUBSETS", "Dataset", "DatasetSpec", "load_dataset"]
