"""A manifest: a checked list of models, read from a CSV file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from zoo_eval.builtin import builtin_manifests
from zoo_eval.errors import ManifestError
from zoo_eval.manifest.filtering import models_where
from zoo_eval.manifest.lines import REQUIRED, ModelLine, parse_line
from zoo_eval.manifest.siblings import with_siblings


@dataclass(frozen=True)
class Manifest:
    """Models in the order of the file.

    >>> Manifest.load("imagenet-lite").lines[0].model
    'tf_efficientnet_lite0.in1k'
    """

    name: str
    path: Path
    lines: tuple[ModelLine, ...]

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[ModelLine]:
        return iter(self.lines)

    @classmethod
    def load(cls, name_or_path: str | Path) -> "Manifest":
        """Read a builtin manifest by name, or a CSV file by path.

        Raises:
            ManifestError: no such manifest, or it is not a valid one.
        """
        path = _find(name_or_path)
        name = path.parent.name if path.name == "manifest.csv" else path.stem
        lines = {line.model: line for line in _read(path)}
        return cls(name, path, tuple(with_siblings(lines, path)))

    def where(self, condition: str) -> "Manifest":
        """The models that fulfil a DuckDB SQL condition over the manifest's columns.

        Raises:
            ManifestError: the condition is not valid SQL, or no model fulfils it.
        """
        chosen = models_where([line.cells for line in self.lines], condition)
        lines = tuple(line for line in self.lines if line.model in chosen)
        if not lines:
            raise ManifestError(
                f"No model of the {len(self)} in {self.name} fulfils: {condition}. "
                f"`zoo-eval manifest list {self.name}` shows what there is."
            )
        return replace(self, lines=lines)


def _find(name_or_path: str | Path) -> Path:
    builtin = builtin_manifests()
    if str(name_or_path) in builtin:
        return builtin[str(name_or_path)]
    path = Path(name_or_path)
    if path.is_dir():
        path /= "manifest.csv"
    if not path.is_file():
        raise ManifestError(
            f"There is no manifest {str(name_or_path)!r}: it is neither a CSV file nor one of "
            f"the builtin ones ({', '.join(builtin)})."
        )
    return path


def _read(path: Path) -> Iterator[ModelLine]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read as UTF-8 text: {error}") from error
    rows = csv.DictReader(text.splitlines(), strict=True)
    columns = rows.fieldnames or []
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise ManifestError(
            f"{path}: column {missing[0]!r} is missing. A manifest needs the columns "
            f"{', '.join(REQUIRED)}; this one has {', '.join(columns) or 'none'}."
        )
    first_line: dict[str, int] = {}
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        if None in row or None in row.values():
            raise ManifestError(f"{where}: {len(columns)} cells are needed, as in the header.")
        line = parse_line(row, where, path.parent)
        if line.model in first_line:
            raise ManifestError(
                f"{where}: {line.model} stands in line {first_line[line.model]} already; "
                "a manifest names each model once."
            )
        first_line[line.model] = rows.line_num
        yield line
    if not first_line:
        raise ManifestError(f"{path}: there is a header, but no model below it.")
