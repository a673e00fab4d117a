"""Comparison with values of other programs, which also gives the published parity table."""

import csv

import pytest

PARITY = pytest.StashKey[list[dict]]()


class Parity:
    """Compares a score with another program's value, and notes it for the parity table."""

    def __init__(self, score, expectations, records):
        self.score = score
        self.expectations = expectations
        self.records = records

    def embeddings(self, case, metric, found, *, field="value", scale=1.0, rel=None):
        """Compare with a value of embeddings_expected.json.

        Args:
            case: Name of the reference case.
            metric: Key of the value, such as "leep/tllib".
            found: Our value.
            field: "value", or "rederived" where the program has a known defect.
            scale: What the stored value must be multiplied by to have our unit and sign.
            rel: Relative tolerance; None takes the one stored with the value.
        """
        entry = self.expectations["cases"][case]["values"][metric]
        source = self.expectations["metrics"][metric]["source"]
        rel = entry["rtol"] if rel is None else rel
        self.compare(metric, source, case, found, float(entry[field]) * scale, rel)

    def network(self, case, metric, found, *, scale=1.0, rel=None):
        """Compare with a value of networks_expected.json; `case` is the fixture's Case."""
        value, rtol = case.expected(metric)
        source = case.sources[metric]["source"]
        precision = f"{case.name} {str(case.dtype).removeprefix('torch.')}"
        rel = rtol if rel is None else rel
        self.compare(metric, source, precision, found, value * scale, rel)

    def compare(self, metric, source, case, found, expected, rel):
        """Assert closeness with any value, such as an installed package's."""
        record = {"score": self.score, "reference": metric, "source": source, "case": case}
        off = abs(found - expected)
        relative = off / abs(expected) if expected else off
        self.records.append({**record, "value": found, "difference": relative, "tolerance": rel})
        assert found == pytest.approx(expected, rel=rel, abs=1e-10)


def write_table(path, records):
    """One line per comparison."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, records[0])
        writer.writeheader()
        writer.writerows(records)
