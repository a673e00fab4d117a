"""Resolves which line of a manifest is another one's sibling."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from zoo_eval.errors import ManifestError
from zoo_eval.manifest.lines import ModelLine

# With these alike, two networks have the same tensors, and see images of the same size.
_ALIKE = ("architecture", "arguments", "label_space", "image_size")


def with_siblings(lines: Mapping[str, ModelLine], path: Path) -> Iterator[ModelLine]:
    """The lines, each with the line that its column `sibling` names.

    Args:
        lines: All of the manifest, by model.
        path: Of the manifest, for messages.

    Raises:
        ManifestError: a sibling is no line of the manifest, is the line itself, or differs in
            architecture, arguments, classes or image size.
    """
    for line in lines.values():
        name = line.cells.get("sibling")
        if name is None:
            yield line
        else:
            yield replace(line, sibling=_sibling(line, str(name), lines, path))


def _sibling(line: ModelLine, name: str, lines: Mapping[str, ModelLine], path: Path) -> ModelLine:
    found = lines.get(name)
    if found is None or found is line:
        what = "itself" if found is line else f"{name!r}, which is no line of this manifest"
        raise ManifestError(
            f"{path}: the sibling of {line.model} is {what}; name another model of it, or none."
        )
    for fact in _ALIKE:
        own, other = getattr(line, fact), getattr(found, fact)
        if own != other:
            raise ManifestError(
                f"{path}: {name} cannot be the sibling of {line.model}: its {fact} is {other!r}, "
                f"not {own!r}. Siblings differ in their weights alone."
            )
    return found
