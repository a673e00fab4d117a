"""Lists the images of a source, whatever kind of source it is, without decoding them."""

from importlib.resources import files
from pathlib import Path

from zoo_eval.datasets.folders import list_folder
from zoo_eval.datasets.listing import Listing
from zoo_eval.datasets.shards import list_shards
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.datasets.tables import list_builtin, list_csv, list_parquet
from zoo_eval.errors import DatasetError

BUILTIN = {"fashion": "fashion.parquet"}
# The numbers in the builtin file stand for these, in Fashion-MNIST's own order.
FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def list_source(spec: DatasetSpec) -> Listing:
    """List the images of a builtin dataset, folder, table or WebDataset folder.

    Raises:
        DatasetError: there is no such source, or it cannot be read, or it holds no image.
    """
    if spec.source in BUILTIN:
        builtin = files("zoo_eval.datasets").joinpath(BUILTIN[spec.source])
        with builtin.open("rb") as file:
            return list_builtin(file, FASHION_CLASSES)
    path = Path(spec.source)
    if path.is_file() and path.suffix.lower() in (".csv", ".tsv"):
        return list_csv(path, spec)
    if path.is_file() and path.suffix.lower() == ".parquet":
        return list_parquet(path, spec)
    if path.is_dir():
        shards = any(path.glob("*.tar"))
        return list_shards(path) if shards else list_folder(path, spec.class_folder)
    raise DatasetError(
        f"There is no dataset {spec.source!r}: it is neither builtin ({', '.join(BUILTIN)}), nor "
        "a folder with one folder per class, nor a .csv or .parquet file, nor a folder of .tar "
        "shards."
    )
