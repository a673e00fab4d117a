"""Whether the hub must be reached, and whether it can be."""

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from zoo_eval.errors import WeightsError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.published.cached import missing
from zoo_eval.models.published.sources import is_offline

PATIENCE_S = 5.0


def require_weights(lines: Iterable[ModelLine]) -> None:
    """Fail early if hub weights are needed that are neither here nor reachable.

    Raises:
        WeightsError: says how many of the models, and which is the first.
    """
    lines = [line for line in lines if line.weights_file is None]
    left = list(missing(lines))
    if not left or is_reachable():
        return
    raise WeightsError(
        f"The weights of {len(left)} of {len(lines)} models, {left[0].model} first, are not "
        f"on this machine, and the model hub {_why_not()}. Connect, or fill the hub's cache, or "
        'choose other weights in the job (weights = ["init"]).'
    )


def is_reachable() -> bool:
    """Whether the hub, or the proxy before it, answers; asked unless HF_HUB_OFFLINE is set."""
    if is_offline():
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


def _why_not() -> str:
    return "may not be asked (HF_HUB_OFFLINE is set)" if is_offline() else "cannot be reached"
