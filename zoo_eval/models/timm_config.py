"""What timm knows about published weights, by name.

Plans need it for every model, and so does the process that hands out the work. But timm brings
torch along, so where timm is not imported another process is asked, once for all names. Its
answer is kept on disk until timm changes, or what adds architectures to it.
"""

import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zoo_eval.apart import apart
from zoo_eval.cache import cache_folder
from zoo_eval.errors import ModelError
from zoo_eval.models.registered import GROUP, register_architectures
from zoo_eval.unfinished import workspace


@dataclass(frozen=True)
class TimmConfig:
    """What zoo_eval uses of timm's `PretrainedCfg`, under timm's own names."""

    input_size: tuple[int, ...]
    crop_pct: float
    crop_mode: str
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    hf_hub_id: str
    hf_hub_filename: str
    url: str


def timm_config(name: str) -> TimmConfig | None:
    """What timm states of `architecture.tag`; None if timm has no weights of that name.

    A bare architecture gives the configuration that timm constructs it with.

    Raises:
        ModelError: timm is not installed, or cannot be imported.
    """
    return _here(name) if "timm" in sys.modules else _everything().get(name)


@cache  # timm copies it each time, which would take most of the time of a plan
def _here(name: str) -> TimmConfig | None:
    register_architectures()
    from timm.models import get_pretrained_cfg

    try:
        config: Any = get_pretrained_cfg(name, allow_unregistered=True)
    except RuntimeError:  # the architecture exists and the tag does not
        return None
    return None if config is None else _of(config)


def _of(config: Any) -> TimmConfig:  # noqa: ANN401  # timm's PretrainedCfg
    return TimmConfig(
        input_size=tuple(config.input_size),
        crop_pct=config.crop_pct,
        crop_mode=config.crop_mode,
        interpolation=config.interpolation,
        mean=tuple(config.mean),
        std=tuple(config.std),
        hf_hub_id=config.hf_hub_id or "",
        hf_hub_filename=config.hf_hub_filename or "",
        url=config.url if isinstance(config.url, str) else "",
    )


@cache
def _everything() -> dict[str, TimmConfig]:
    path = _path()
    kept = _read(path)
    if kept is not None:
        return kept
    found = apart("timm", _all_of_timm)
    _write(path, found)
    return found


def _path() -> Path:
    """Named by version and time of timm's tables, which are part of its source, and by plug-ins."""
    spec = find_spec("timm")
    if spec is None or spec.origin is None:
        raise ModelError("zoo_eval needs timm, which is not installed: `pip install timm`.")
    tables = (Path(spec.origin).parent / "models").glob("*.py")
    newest = max((table.stat().st_mtime_ns for table in tables), default=0)
    added = sorted((e.value, e.dist.version if e.dist else "") for e in entry_points(group=GROUP))
    digest = hashlib.sha256(json.dumps(added).encode()).hexdigest()[:8]
    return cache_folder("timm") / f"{version('timm')}-{newest}-{digest}.json"


def _read(path: Path) -> dict[str, TimmConfig] | None:
    """What is kept, if it is there and whole."""
    try:
        kept: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return {name: TimmConfig(**_tuples(own)) for name, own in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON has only lists."""
    return {key: tuple(v) if type(v) is list else v for key, v in fields.items()}


def _write(path: Path, found: dict[str, TimmConfig]) -> None:
    """Elsewhere first: a file that has its name is whole."""
    text = json.dumps({name: asdict(config) for name, config in found.items()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with workspace(path.parent) as unfinished:
            (unfinished / path.name).write_text(text, encoding="utf-8")
            (unfinished / path.name).replace(path)
    except OSError:  # a full disk or a read-only folder: only time is lost
        pass


def _all_of_timm() -> dict[str, TimmConfig]:
    register_architectures()
    from timm.models import get_arch_pretrained_cfgs, list_models

    names = {
        name
        for architecture in list_models()
        for name in (architecture, *get_arch_pretrained_cfgs(architecture))
    }
    found = {name: _here(name) for name in sorted(names)}
    return {name: config for name, config in found.items() if config is not None}
