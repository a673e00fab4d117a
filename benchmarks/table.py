"""All claims about speed in one table: runs one benchmark after the other and gathers their lines.

Takes about half an hour on two idle cores.
Usage: python benchmarks/table.py [OUT [NAME[:ARGUMENT] …]]
(default: reports/speed and all of them; lines of benchmarks that are not named stay as they were)
"""

import json
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

NAMES = (
    "dse_exact",
    "dse_lanczos",
    "dse_50000",
    "dsmi",
    "one_distance_matrix",
    "gradsign",
    "gradsign_bf16",
    "gradient_proxies",
    "embeddings",
    "precision",
    "one_image_folder",
    "workers",
    "memory",
    "run_overhead",
    "planning",
    "correlate_60",
    "report_1556",
    "report_million",
)
COLUMNS = ("what", "baseline", "ours", "ratio", "difference in value", "machine")


def main() -> None:
    """Run what is asked for, then write the table."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "reports/speed")
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "lines.json"
    lines: dict[str, list[str]] = {}
    if kept.is_file():
        lines = json.loads(kept.read_text(encoding="utf-8"))
    for asked in sys.argv[2:] or NAMES:
        name, *arguments = asked.split(":")
        print(f"{asked} …", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        command = [sys.executable, script, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        found = [line for line in done.stdout.splitlines() if line.startswith("| ")]
        if done.returncode or not found:
            print(f"{name} failed with exit code {done.returncode}:\n{done.stdout}", flush=True)
            continue
        print("\n".join(found), flush=True)
        lines[name] = [f"| `{name}`: {line[2:]}" for line in found]
        kept.write_text(json.dumps(lines, indent=1, ensure_ascii=False), encoding="utf-8")
    table = "\n".join(line for name in NAMES for line in lines.get(name, []))
    (out / "README.md").write_text(
        "# Speed\n\nWhat `make bench` measured: one benchmark per claim, each a script in "
        "`benchmarks/` that says in its docstring what it compares. Seconds are by the clock, in "
        "brackets of the processor; medians where the script repeats; a ratio above 1 "
        "means that ours is faster. "
        f"{platform.machine()}, {date.today()}; the last column says how busy the machine was.\n\n"
        f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n{table}\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
