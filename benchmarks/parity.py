"""How far each score is from what other programs give, on the same fixed inputs.

The values of other programs lie in tests/reference; its README names the programs, their commits
and licences. Some of the same comparisons run against installed packages. The tests of the scores
make the comparisons, and this table is what they noted, so that the two cannot disagree. Where a
program has a known defect the comparison is with the independently derived value, and the test of
that score shows both.

Usage: python benchmarks/parity.py [OUT]      (default: reports/parity)
"""

import subprocess
import sys
from pathlib import Path

import pandas as pd

from zoo_eval.scores import SCORES


def main() -> None:
    """Run the comparing tests and write `parity.csv` and `README.md`."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "reports/parity")
    out.mkdir(parents=True, exist_ok=True)
    raw = out / "parity.csv"
    command = [sys.executable, "-m", "pytest", "-q", "tests/scores", "--parity-table", str(raw)]
    subprocess.run([*command, "-p", "no:xdist"], check=True)
    comparisons = pd.read_csv(raw)
    comparisons.to_csv(raw, index=False, float_format="%.6g")
    comparisons["double"] = ~comparisons["case"].str.contains("float32", na=False)
    rows = [
        f"| `{score}` | {reference} | {source} | {len(of_pair)} | {_worst(of_pair, double=True)} | "
        f"{_worst(of_pair, double=False)} |"
        for (score, reference, source), of_pair in comparisons.groupby(
            ["score", "reference", "source"]
        )
    ]
    n_scores = comparisons["score"].isin(SCORES.keys()).groupby(comparisons["score"]).any().sum()
    (out / "README.md").write_text(
        f"# Parity\n\n{' '.join((__doc__ or '').split('Usage')[0].split())}\n\n"
        f"{len(comparisons):,} comparisons of {n_scores} scores with {len(rows)} reference values "
        "(each on several inputs). The other scores have no program to compare with; their tests "
        "hold closed forms and the slow obvious version. Every comparison: `parity.csv`. Made by "
        "`python benchmarks/parity.py`. Differences are relative.\n\n"
        "| score | reference | program | inputs | largest difference, float64 | float32 |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )


def _worst(comparisons: pd.DataFrame, *, double: bool) -> str:
    chosen = comparisons.loc[comparisons["double"] == double, "difference"]
    if chosen.empty:
        return ""
    return "0" if chosen.max() == 0 else f"{chosen.max():.0e}"


if __name__ == "__main__":
    main()
