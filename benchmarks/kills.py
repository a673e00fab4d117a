"""Kills runs of a job of thirty networks at random instants and says what was lost: nothing.

The table of `reports/batches`. The same as the slow test `tests/executors/test_kills.py`, but it
prints a line after every round, so that it can be stopped at any time.
Usage: python benchmarks/kills.py [--kills 200] [--seed 1]
"""

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.executors.kills import Killer
from tests.executors.test_kills import write_small


def main() -> None:
    """Print the counts after each round."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        zoo = Path(folder) / "zoo"
        killer = Killer(write_small(zoo, 30), Path(folder), asked.seed, "--workers", "2")
        while sum(killer.found.kills.values()) < asked.kills:
            killer.round()
            print(asdict(killer.found), flush=True)


if __name__ == "__main__":
    main()
