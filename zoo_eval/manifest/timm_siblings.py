"""Which weights of a timm architecture may be averaged with which others."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

# Two lines of the ImageNet manifest with these alike have the same tensors and see images of the
# same size and scale. All have the same classes and no arguments.
_ALIKE = ("params", "image_size", "mean", "std")


def name_siblings(lines: Iterable[dict[str, str]]) -> None:
    """Fill column `sibling` of each line with a model of the same architecture, if there is one.

    Of several it is that with the nearest published top-1, as averaging asks of equals; of
    equally near ones the first by name.
    """
    groups: defaultdict[tuple[str | None, ...], list[dict[str, str]]] = defaultdict(list)
    for line in lines:
        architecture = line["model"].partition(".")[0]
        groups[(architecture, *(line.get(fact) for fact in _ALIKE))].append(line)
    for group in groups.values():
        for line in group:
            others = [other for other in group if other is not line]
            if others:
                line["sibling"] = min(others, key=lambda other: _apart(line, other))["model"]


def _apart(line: dict[str, str], other: dict[str, str]) -> tuple[Decimal, str]:
    top1 = (Decimal(each["imagenet_top1"]) for each in (line, other))
    return abs(next(top1) - next(top1)), other["model"]
