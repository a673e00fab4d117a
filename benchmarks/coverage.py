"""Which score has a value on which family of timm's architectures, and why not on the others.

Takes the smallest architecture of each of timm's families (no `test_` ones), freshly initialised,
at the smallest of a few image sizes that it accepts, and computes every score there is on it, but
those of robustness, which evaluate a trained network up to a hundred times: 120 fashion images of
5 classes, of which 10 are the probe batch. A score must give a finite value or say why it has
none; nothing may fail. Runs as a job of zoo_eval, so it goes on where it was stopped.

Usage: python benchmarks/coverage.py [OUT]      (default: reports/coverage)
"""

import csv
import dataclasses
import sys
from pathlib import Path

import pandas as pd
import torch

import zoo_eval
from zoo_eval.errors import ModelError
from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.models.build import construct
from zoo_eval.scores import SCORES
from zoo_eval.store import Store

IMAGE_SIZES = (96, 128, 160, 192, 224)
STORE = Path("results/coverage.duckdb")


def main() -> None:
    """Compute what is missing, then write the tables."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "reports/coverage")
    STORE.parent.mkdir(exist_ok=True)
    job = write_job(STORE.parent / "coverage", families())
    zoo_eval.run(job, STORE)
    write_tables(Store(STORE), out)


def families() -> list[ModelLine]:
    """One line per family of timm, the smallest architecture at a small size, cheapest first."""
    smallest: dict[str, tuple[float, ModelLine]] = {}
    for line in Manifest.load("timm-imagenet"):
        if "@" in line.model or line.architecture.startswith("test_"):
            continue
        # Parameters cost memory and multiply-accumulates cost time; this weighs both.
        size = float(line.cells["params"] or 1e12) + float(line.cells["macs"] or 1e12) / 200
        if size < smallest.get(line.family, (float("inf"), line))[0]:
            smallest[line.family] = size, line
    return [_shrunk(line) for _, line in sorted(smallest.values(), key=lambda s: s[0])]


def _shrunk(line: ModelLine) -> ModelLine:
    """The line at the smallest image size at which the network can be built and run."""
    for size in (*IMAGE_SIZES, line.image_size):
        shrunk = dataclasses.replace(line, image_size=size)
        try:
            network = construct(shrunk, line.architecture, device="meta").eval()
            with torch.no_grad():
                network(torch.zeros(2, 3, size, size, device="meta"))
        except (ModelError, RuntimeError, AssertionError, ValueError, TypeError):
            continue
        return shrunk
    raise AssertionError(f"{line.model} does not run at its own image size")


def write_job(folder: Path, lines: list[ModelLine]) -> Path:
    """A manifest of these lines and a job that computes every score on them."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "families.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("model", "family", "label_space", "image_size", "source"))
        for line in lines:
            name = f"{line.timm_name}@{line.image_size}"
            writer.writerow(
                (name, line.family, line.label_space, line.image_size, line.cells["source"])
            )
    scores = ", ".join(
        f'"{name}"' if score.weights is None else f'{{name = "{name}", weights = ["init-neutral"]}}'
        for name, score in sorted(SCORES.items())
        if score.group != "robustness"
    )
    job = folder / "coverage.toml"
    job.write_text(
        'manifest = "families.csv"\nweights = ["init-neutral"]\n'
        f"scores = [{scores}]\n"
        '[dataset]\nsource = "fashion"\nimages_per_class = 24\n'
        'classes = ["Trouser", "Coat", "Sandal", "Bag", "Ankle boot"]\n[probe]\nimages = 10\n',
        encoding="utf-8",
    )
    return job


def write_tables(store: Store, out: Path) -> None:
    """`coverage.csv`: one line per score and reason. `README.md`: one line per score."""
    out.mkdir(parents=True, exist_ok=True)
    values, failures = store.scores(), store.failures()
    n_models = values["model"].nunique()
    lines = []
    for name, rows in values.groupby("score"):
        missing = rows[rows["value"].isna()]
        reasons = [
            f"{len(alike)} × ({alike.iloc[0].family}) {_short(alike.iloc[0].undefined_because)}"
            for _, alike in _with_kinds(missing, store).groupby("kind", sort=False)
        ]
        lines.append((name, len(rows) - len(missing), len(missing), "; ".join(reasons)))
    columns = ["model", "score", "value", "undefined_because", "seconds"]
    values[columns].to_csv(out / "coverage.csv", index=False, float_format="%.6g")
    table = "\n".join(f"| `{n}` | {ok} | {none} | {why} |" for n, ok, none, why in lines)
    (out / "README.md").write_text(
        f"# Coverage\n\n{' '.join((__doc__ or '').split('Usage')[0].split())}\n\n"
        f"{n_models} families, {len(lines)} scores, {int(values['value'].notna().sum()):,} values, "
        f"{int(values['value'].isna().sum()):,} undefined with a reason, {len(failures)} networks "
        "failed. Every value and reason: `coverage.csv`. Made by `python benchmarks/coverage.py`.\n"
        f"\n| score | families with a value | without | why: how often, one family, its reason |\n"
        f"|---|---|---|---|\n{table}\n",
        encoding="utf-8",
    )


def _with_kinds(missing: pd.DataFrame, store: Store) -> pd.DataFrame:
    """Reasons without their numbers and names, so that like ones fall together."""
    families = store.models().set_index("model")["family"]
    # Numbers, and class names such as DLA or EfficientNet, differ from network to network.
    varying = r"\d[\d.,e+-]*|\b[A-Z]\w*[A-Z]\w*\b"
    kinds = missing["undefined_because"].str.replace(varying, "…", regex=True)
    return missing.assign(kind=kinds, family=missing["model"].map(families))


def _short(reason: str) -> str:
    return reason.partition(". ")[0].removesuffix(".").replace("|", "/")


if __name__ == "__main__":
    main()
