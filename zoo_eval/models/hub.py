"""What of the hub's weights is on this machine, and whether the hub can be reached."""

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import torch

from zoo_eval.errors import WeightsError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.timm_config import timm_config

PATIENCE_S = 5.0


def require_weights(lines: Iterable[ModelLine]) -> None:
    """Fail early if hub weights are needed that are neither here nor reachable.

    Raises:
        WeightsError: says how many of the models, and which is the first.
    """
    lines = [line for line in lines if line.weights_file is None]
    missing = [line for line in lines if not is_cached(line)]
    if not missing or is_reachable():
        return
    raise WeightsError(
        f"The weights of {len(missing)} of {len(lines)} models, {missing[0].model} first, are not "
        f"on this machine, and the model hub {_why_not()}. Connect, or fill the hub's cache, or "
        'choose other weights in the job (weights = ["init"]).'
    )


def is_cached(line: ModelLine) -> bool:
    """Whether the hub's cache on this machine holds the model's weights."""
    from huggingface_hub import try_to_load_from_cache

    config = timm_config(line.timm_name)
    if config is None:
        return False
    if not config.hf_hub_id:  # a few old networks are fetched by torch from an address instead
        name = Path(urlsplit(config.url or "").path).name
        return bool(name) and (Path(torch.hub.get_dir()) / "checkpoints" / name).is_file()
    names = ("model.safetensors", "pytorch_model.bin")
    repository = str(config.hf_hub_id)
    if repository.endswith("/"):
        repository += line.timm_name
    return any(isinstance(try_to_load_from_cache(repository, name), str) for name in names)


def is_reachable() -> bool:
    """Whether the hub, or the proxy before it, answers; asked unless HF_HUB_OFFLINE is set."""
    if _offline():
        return False
    target = urlsplit(_endpoint())
    proxies = getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(target.hostname or ""):
        target = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        with socket.create_connection((target.hostname or "", port), timeout=PATIENCE_S):
            return True
    except OSError:
        return False


def _endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "0").lower() not in ("", "0", "false", "no", "off")


def _why_not() -> str:
    return "may not be asked (HF_HUB_OFFLINE is set)" if _offline() else "cannot be reached"
