"""What tests of published weights do with the hub on loopback."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from tests.lines import line
from zoo_eval.errors import WeightsError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.published.book import Entry
from zoo_eval.models.published.cache import WeightsCache
from zoo_eval.models.published.ledger import Ledger


def hub_line(architecture: str, **cells: str) -> ModelLine:
    """A manifest line of one of timm's tiny networks with published weights."""
    return line(f"{architecture}.r160_in1k", label_space="imagenet-1k", **cells)


RESNET, VIT, BYOB = hub_line("test_resnet"), hub_line("test_vit"), hub_line("test_byobnet")


def cache(budget: int | None = None, **patience) -> WeightsCache:
    return WeightsCache(budget, **{"wait_s": 0.05, "stall_s": 5.0, **patience})


def refusal(act, *args) -> str:
    with pytest.raises(WeightsError) as caught:
        act(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def partial_files() -> list[Path]:
    """Beginnings of downloads."""
    hub = Path(constants.HF_HUB_CACHE)
    return [*hub.rglob("*.incomplete"), *Path(torch.hub.get_dir()).rglob("*.partial")]


def entries() -> list[Entry]:
    """What zoo_eval knows that it downloaded."""
    with Ledger().read() as book:
        return book.entries()


def download_as_others_do(repository: str, name: str, revision: str = "main") -> Path:
    """With the hub's client, in a process of its own."""
    code = (
        "import sys, huggingface_hub; "
        "print(huggingface_hub.hf_hub_download(*sys.argv[1:3], revision=sys.argv[3]))"
    )
    command = [sys.executable, "-c", code, repository, name, revision]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
