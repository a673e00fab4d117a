"""Writes a report: HTML, Markdown, CSV and PNG."""

import csv
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from zoo_eval.errors import ReportError
from zoo_eval.report.collect import ReportData
from zoo_eval.report.figures import forest_figure, forest_title, scatter_figure
from zoo_eval.report.findings import Findings, findings
from zoo_eval.report.frames import Frame
from zoo_eval.report.html import to_html
from zoo_eval.report.markdown import to_markdown
from zoo_eval.report.provenance import Provenance, provenance


@dataclass(frozen=True)
class ReportFiles:
    """Where a report was written.

    Attributes:
        html: The page; written last, so that a new page means a complete report.
        markdown: The same as Markdown.
        correlations: Every statistic of every score, unrounded.
        leaderboard: Every model with every score, unrounded.
        figures: PNG figures, the forest plot first.
    """

    html: Path
    markdown: Path
    correlations: Path
    leaderboard: Path
    figures: tuple[Path, ...]


def write_report(
    data: ReportData, folder: Path, truth: str | None = None, command: str = ""
) -> ReportFiles:
    """Compute and write a report; files of an earlier one are replaced, each at once.

    Args:
        data: What `collect` read.
        folder: Where to write; made if missing.
        truth: Accuracy to judge by, `<benchmark>_<metric>`; None takes the one known for most
            models.
        command: The command line, to be stated in the report.

    Raises:
        ReportError: the accuracy is unknown, no model has one, or the folder cannot be written.
    """
    return write_findings(findings(data, truth), folder, provenance(command))


def write_findings(found: Findings, folder: Path, made: Provenance) -> ReportFiles:
    """Write what `findings` computed, stating what made it.

    Raises:
        ReportError: the folder cannot be written.
    """
    scatters = _scatter_files(found.drawable)
    files = ReportFiles(
        html=folder / "report.html",
        markdown=folder / "report.md",
        correlations=folder / "correlations.csv",
        leaderboard=folder / "leaderboard.csv",
        figures=tuple(folder / "figures" / f for f in ["forest.png", *scatters.values()]),
    )
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        _write(files.correlations, lambda: _csv(found.correlations))
        _write(files.leaderboard, lambda: _csv(found.leaderboard))
        _write(files.figures[0], lambda: _png(forest_figure(found)))
        for score, name in scatters.items():
            _write(
                folder / "figures" / name, lambda score=score: _png(scatter_figure(found, score))
            )
        figures = {forest_title(found): "figures/forest.png"}
        _write(files.markdown, lambda: to_markdown(found, made, figures).encode())
        _write(files.html, lambda: to_html(found, made).encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(
            f"The report cannot be written to {folder}: {reason}. Choose another folder or make "
            "room there."
        ) from error
    return files


def _write(file: Path, content: Callable[[], bytes]) -> None:
    """Replace a file at once: a reader sees the old one or the new one, whole."""
    data = content()
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(data)
        Path(name).chmod(0o644)  # mkstemp's own 0600 would keep a web server out
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _csv(table: Frame) -> bytes:
    """What `to_csv` writes, to the byte, but numbers a column at a time: a quarter of the time."""
    columns: list[list[Any]] = [table.index.tolist()]
    for name in table.columns:
        missing = table[name].isna().tolist()
        values = zip(table[name].tolist(), missing, strict=True)
        columns.append(["" if no else value for value, no in values])
    text = StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([table.index.name, *table.columns])
    lines.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _scatter_files(scores: list[str]) -> dict[str, str]:
    """A file name for each score, without the signs that a label may hold."""
    names: dict[str, str] = {}
    for score in scores:
        stem = "scatter-" + re.sub(r"[^A-Za-z0-9._]+", "-", score).strip("-")
        name = stem
        while f"{name}.png" in names.values():
            name = f"{stem}-{len(names)}"
        names[score] = f"{name}.png"
    return names
