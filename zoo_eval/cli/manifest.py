"""`zoo-eval manifest list|check|build`."""

import csv
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from zoo_eval.cli.options import JsonOption

manifest_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, check and build manifests.",
)
Name = Annotated[str, typer.Argument(help="A builtin manifest or a CSV file.")]
DEFAULT = "timm-imagenet"
_SHOWN = ("model", "family", "params", "image_size", "pretraining")


@manifest_app.command("list")
def list_models(
    name: Name = DEFAULT,
    where: Annotated[
        str | None, typer.Option(help='DuckDB SQL condition, such as "params < 30e6".')
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the models of a manifest, filtered as jobs filter them."""
    from zoo_eval.manifest import ACCURACY, Manifest

    manifest = Manifest.load(name)
    if where is not None:
        manifest = manifest.where(where)
    rows = [line.cells for line in manifest]
    if as_json:
        print(json.dumps(rows))
        return
    accuracies = [column for column in rows[0] if ACCURACY.fullmatch(column)]
    columns = [column for column in (*_SHOWN, *accuracies[:1]) if column in rows[0]]
    widths = {c: max(len(c), *(len(_text(row[c])) for row in rows)) for c in columns}
    print("  ".join(c.ljust(widths[c]) for c in columns).rstrip())
    for row in rows:
        print("  ".join(_text(row[c]).ljust(widths[c]) for c in columns).rstrip())
    print(f"{len(rows):,} models", file=sys.stderr)


@manifest_app.command()
def check(name: Name = DEFAULT) -> None:
    """Check a manifest, and say which of its models the installed timm cannot build."""
    from zoo_eval.manifest import Manifest
    from zoo_eval.manifest.timm_check import check_lines

    manifest = Manifest.load(name)
    # Bundled weights bring their own tag, which timm need not know.
    names = {
        (line.timm_name if line.weights_file is None else line.architecture): line.model
        for line in manifest
    }
    problems = check_lines(names)
    for timm_name, reason in problems:
        print(f"{names[timm_name]}: {reason}")
    if problems:
        print(f"{len(problems)} of {len(manifest)} models cannot be built.", file=sys.stderr)
        raise typer.Exit(1)
    print(f"{manifest.path.name}: {len(manifest):,} models, and this timm knows them all.")


@manifest_app.command()
def build(
    folder: Annotated[Path, typer.Argument(help="timm's folder `results/`.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")] = Path("timm-imagenet.csv"),
) -> None:
    """Make the ImageNet manifest again from timm's result tables, byte for byte."""
    from zoo_eval.errors import ManifestError
    from zoo_eval.manifest.timm_results import build_timm_manifest

    text = build_timm_manifest(folder)
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise ManifestError(f"{out} cannot be written: {error}") from error
    n_models = sum(1 for _ in csv.reader(text.splitlines())) - 1
    print(f"{out}: {n_models:,} models")


def _text(value: object) -> str:
    return "" if value is None else str(value)
