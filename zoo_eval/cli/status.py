"""`zoo-eval status`."""

import json
from typing import Annotated, Any

import typer

from zoo_eval.cli.options import DEFAULT_STORE, JsonOption, StoreOption


def status(
    store: StoreOption = DEFAULT_STORE,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show the traceback of each failure.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is there and what failed."""
    from zoo_eval.store import Store

    results = Store(store)
    counts = _rows(
        results.sql(
            "SELECT count(DISTINCT model) AS models, count(DISTINCT score) AS scores, "
            "count(value) AS n_values, count(undefined_because) AS undefined FROM latest_scores"
        )
    )[0]
    runs, failures = _rows(results.runs()), _rows(results.failures())
    untrusted = _rows(results.sql("FROM trust WHERE NOT trusted ORDER BY model"))
    if as_json:
        found = {**counts, "runs": runs, "failures": failures, "untrusted": untrusted}
        print(json.dumps(found))
        return
    print(
        f"{store}: {counts['n_values']:,} values of {counts['scores']} scores on "
        f"{counts['models']} models; {counts['undefined']:,} more are undefined."
    )
    for run in runs[-5:]:
        print(f"  run {run['started'][:16].replace('T', ' ')} UTC  {run['job']}: {run['state']}")
    if failures:
        print(f"{len(failures)} networks failed at the last attempt:")
    for row in failures:
        print(f"  {row['model']} ({row['weights']}): {row['outcome']}: {row['message']}")
        if traceback and row["traceback"]:
            print("    " + row["traceback"].rstrip().replace("\n", "\n    "))
    if untrusted:
        print(
            f"{len(untrusted)} models miss their published accuracy; their weights or "
            "preprocessing may be wrong:"
        )
    for row in untrusted:
        print(
            f"  {row['model']}: measured {row['measured']:.3f} on {row['n_images']} images "
            f"({row['low']:.3f} to {row['high']:.3f}), published {row['published']:.3f}"
        )


def _rows(frame: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # a pandas frame
    """The rows of a frame as plain values: times as ISO text, missing cells as None."""
    return json.loads(frame.to_json(orient="records", date_format="iso"))
