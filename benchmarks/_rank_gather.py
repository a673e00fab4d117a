"""All draws of a proof in two files, and their means as a table."""

from pathlib import Path

import pandas as pd


def gather(work: Path, name: str, out: Path) -> None:
    """Write `methods.csv`, a line per draw and method, and `statements.csv`, per network.

    Args:
        work: Where each draw has two files.
        name: How their names begin.
        out: Folder of the report.
    """
    out.mkdir(parents=True, exist_ok=True)
    said = sorted(work.glob(f"{name}-*.said.csv"))
    found = sorted(set(work.glob(f"{name}-*.csv")) - set(said))
    statements, methods = (pd.concat(map(pd.read_csv, files)) for files in (said, found))
    statements.round(6).to_csv(out / "statements.csv", index=False)
    methods.round(6).to_csv(out / "methods.csv", index=False)
    keys = [key for key in ("zoo", "images_per_class", "method") if key in methods]
    by_method = methods.groupby(keys)
    table = by_method.mean(numeric_only=True).drop(columns="seed")
    table["draws"] = by_method.size()
    print(table.round(4).to_string())
    inside = (statements["low"] <= statements["truth"]) & (
        statements["truth"] <= statements["high"]
    )
    of = [key for key in keys if key != "method"]
    print("\nTruth inside the 95 % interval of the predicted accuracy:")
    print(inside.groupby([statements[key] for key in of]).mean().round(3).to_string())
    print("\nOf networks with this chance of being in the top 5, so many are:")
    bins = pd.cut(statements["chance"], [-1, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1])
    table = statements.groupby([*of, bins], observed=True)["in_top"].agg(["mean", "size"])
    print(table.round(3).to_string())
