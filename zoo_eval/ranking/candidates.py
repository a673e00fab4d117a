"""Which networks of a manifest may run at all, and why the others may not."""

from dataclasses import dataclass, replace
from typing import Literal

from zoo_eval.errors import ManifestError
from zoo_eval.manifest import Manifest, ModelLine

PUBLISHED = "imagenet_top1"


@dataclass(frozen=True)
class ModelLimits:
    """What a network must keep to.

    Attributes:
        max_params: Parameters, at most.
        max_macs: Multiply-accumulates for one image, at most.
        licences: Licences that will do, in any case of letters; empty: all.
        where: DuckDB SQL condition over the manifest's columns.
    """

    max_params: int | float | None = None
    max_macs: int | float | None = None
    licences: tuple[str, ...] = ()
    where: str | None = None


NO_LIMITS = ModelLimits()


@dataclass(frozen=True)
class LeftOut:
    """A network that is not ranked.

    Attributes:
        model: Its name.
        why: The limits that it does not keep to, a failure, or no time left.
        reason: For people.
    """

    model: str
    why: Literal["limits", "failed", "budget"]
    reason: str


@dataclass(frozen=True)
class Candidates:
    """Networks that may run, in the manifest's order."""

    manifest: Manifest
    left_out: tuple[LeftOut, ...]


def candidates(manifest: Manifest, limits: ModelLimits = NO_LIMITS) -> Candidates:
    """The networks of a manifest within limits.

    Where the manifest does not say what a limit asks for, the network is left out.

    Raises:
        ManifestError: the condition is not valid, or no network keeps to the limits.
    """
    chosen = manifest if limits.where is None else manifest.where(limits.where)
    within = frozenset(line.model for line in chosen)
    kept: list[ModelLine] = []
    left_out: list[LeftOut] = []
    for line in manifest:
        reason = _reason(line, limits) if line.model in within else f"not {limits.where}"
        if reason is None:
            kept.append(line)
        else:
            left_out.append(LeftOut(line.model, "limits", reason))
    if not kept:
        raise ManifestError(
            f"None of the {len(manifest)} networks of {manifest.name} keeps to the limits; "
            f"{left_out[0].model}, for one: {left_out[0].reason}. Widen them."
        )
    return Candidates(replace(chosen, lines=tuple(kept)), tuple(left_out))


def _reason(line: ModelLine, limits: ModelLimits) -> str | None:
    """Why a network does not keep to the limits; None if it does."""
    for column, limit in (("params", limits.max_params), ("macs", limits.max_macs)):
        if limit is None:
            continue
        value = count(line, column)
        if value is None:
            return f"its {column} are not known"
        if value > limit:
            return f"{value:,} {column}"
    if limits.licences:
        licence = line.cells.get("licence")
        if licence is None:
            return "its licence is not known"
        if str(licence).casefold() not in {each.casefold() for each in limits.licences}:
            return f"licence {licence}"
    return None


def count(line: ModelLine, column: str) -> int | None:
    """Parameters or multiply-accumulates of a network, if the manifest says them."""
    value = line.cells.get(column)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def published(line: ModelLine) -> float | None:
    """Published ImageNet top-1 accuracy, if there is one."""
    value = line.cells.get(PUBLISHED)
    return value if isinstance(value, float) else None
