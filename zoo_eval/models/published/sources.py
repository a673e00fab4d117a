"""Where the weights of a manifest line are published, and what a downloaded file is called here."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from zoo_eval.apart import apart
from zoo_eval.errors import WeightsError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.timm_config import timm_config

SAFE, PICKLED = "model.safetensors", "pytorch_model.bin"


@dataclass(frozen=True)
class Source:
    """A repository of the model hub, or, for a few old networks, a plain address.

    Attributes:
        repository: `owner/name`; empty for a plain address.
        names: Files of the repository that would do, the best first: safetensors cannot hold code.
        url: The plain address; empty for a repository.
    """

    repository: str = ""
    names: tuple[str, ...] = ()
    url: str = ""

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return self.repository or self.url

    def key(self, name: str) -> str:
        """What the list of downloads calls one of the files."""
        return f"{self.repository}/{name}" if self.repository else self.url

    def folder(self) -> Path:
        """Of the repository, in the cache of the hub's client."""
        return hub_folder() / f"models--{self.repository.replace('/', '--')}"


def source_of(line: ModelLine) -> Source:
    """Where timm gets the weights of `architecture.tag`.

    Raises:
        WeightsError: timm knows no weights of that name.
    """
    config = timm_config(line.timm_name)
    repository = config.hf_hub_id if config else ""
    if config is not None and repository:
        if repository.endswith("/"):
            repository += line.timm_name
        name = config.hf_hub_filename or PICKLED
        safe = SAFE if name == PICKLED else name.removesuffix(".bin") + ".safetensors"
        return Source(repository, (safe, name) if name.endswith(".bin") else (name,))
    if config is None or not config.url:
        raise WeightsError(
            f"timm knows no weights {line.timm_name!r}. `zoo-eval manifest check` lists such lines."
        )
    return Source(url=config.url)


def hub_folder() -> Path:
    """The cache of the hub's client."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def snapshots_of(path: Path) -> Path | None:
    """The folder of snapshots that a file of the hub's cache lies in, below that of its commit."""
    for folder in path.parents:
        if folder.name == "snapshots" and folder.parent.name.startswith("models--"):
            return folder
    return None


def url_file(url: str) -> Path:
    """Where torch keeps the file of a plain address."""
    return Path(apart("torch", _folder_of_torch)) / "checkpoints" / Path(urlsplit(url).path).name


def _folder_of_torch() -> str:
    import torch

    return torch.hub.get_dir()


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids to ask the hub."""
    return os.environ.get("HF_HUB_OFFLINE", "0").lower() not in ("", "0", "false", "no", "off")
