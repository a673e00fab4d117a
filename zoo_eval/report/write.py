"""Writes a report: a site of pages, one page to be mailed, Markdown, CSV, PNG and SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zoo_eval.errors import ReportError
from zoo_eval.report.agreeing import agreeing, agreeing_title
from zoo_eval.report.collect import ReportData
from zoo_eval.report.csv_text import csv_text
from zoo_eval.report.definitions import definitions
from zoo_eval.report.ensembles import Ensembles
from zoo_eval.report.figure_content import KINDS, forest_title
from zoo_eval.report.findings import Findings, findings
from zoo_eval.report.frames import Frame
from zoo_eval.report.html import to_html
from zoo_eval.report.markdown import to_markdown
from zoo_eval.report.output import Output
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.predictions import predictions
from zoo_eval.report.provenance import Provenance, provenance
from zoo_eval.report.site import site_files
from zoo_eval.report.slugs import slugs
from zoo_eval.side_processes import SideProcesses

# Each takes time and room: with 60 scores 100 of each take as long as all other files together.
MOST_PAGES = 100


@dataclass(frozen=True)
class ReportFiles:
    """Where a report was written.

    Attributes:
        index: The leaderboard, where the site of pages begins; written last, so that a new one
            means a complete report.
        html: The report as one page that needs no other file.
        markdown: The same as Markdown.
        correlations: Every statistic of every score, unrounded.
        leaderboard: Every model with every score, unrounded.
        among: The strongest scores with each other, a line per pair.
        over_seeds: Where scores were computed at several seeds: what seeds change of each score,
            then mean and deviation of each model; else nothing.
        figures: Figures as PNG and SVG, the forest plot first.
        pages: All other files of the site.
    """

    index: Path
    html: Path
    markdown: Path
    correlations: Path
    leaderboard: Path
    among: Path
    over_seeds: tuple[Path, ...]
    figures: tuple[Path, ...]
    pages: tuple[Path, ...]


def write_report(
    data: ReportData,
    folder: Path,
    truth: str | None = None,
    command: str = "",
    most_pages: int = MOST_PAGES,
    *,
    predict: bool = True,
    together: Ensembles | None = None,
    beside: SideProcesses | None = None,
) -> ReportFiles:
    """Compute and write a report, in place of an earlier one; each file is replaced at once.

    Args:
        data: What `collect` read.
        folder: Where to write; made if missing.
        truth: Accuracy to judge by, `<benchmark>_<metric>`; None takes the one known for most
            models.
        command: The command line, to be stated in the report.
        most_pages: Models that get a page of their own, the most accurate first, and scores, the
            strongest first.
        predict: Whether to predict the accuracy from the scores, which takes as long as the rest.
        together: What the networks are worth together; None: not to be shown.
        beside: What takes the longest computations and the drawing; None: this process.

    Raises:
        ReportError: the accuracy is unknown, no model has one, or the folder cannot be written.
    """
    return write_findings(
        findings(data, truth),
        folder,
        provenance(command),
        most_pages,
        predict=predict,
        together=together,
        beside=beside,
    )


def write_findings(
    found: Findings,
    folder: Path,
    made: Provenance,
    most_pages: int = MOST_PAGES,
    *,
    predict: bool = True,
    together: Ensembles | None = None,
    beside: SideProcesses | None = None,
) -> ReportFiles:
    """Write what `findings` computed, stating what made it.

    Raises:
        ReportError: the folder cannot be written.
    """
    scatters = slugs(found.drawable, prefix="scatter-")
    pairs = agreeing(found)
    drawings = ["forest", *(["among"] if len(pairs) else []), *scatters.values()]
    beside = beside or SideProcesses()
    pictures = {"forest.svg": "figures/forest.svg"}
    pictures |= {f"{score}.svg": f"figures/{slug}.svg" for score, slug in scatters.items()}
    predicted = predictions(found.data, found.truth, beside) if predict else None
    zoo = Zoo(found.data, found, definitions(), made, ensembles=together)
    pages: list[Path] = []
    seeds = _seed_tables(found.data)
    files = ReportFiles(
        index=folder / "index.html",
        html=folder / "report.html",
        markdown=folder / "report.md",
        correlations=folder / "correlations.csv",
        leaderboard=folder / "leaderboard.csv",
        among=folder / "among.csv",
        over_seeds=tuple(folder / name for name in seeds),
        figures=tuple(folder / "figures" / f"{n}.{kind}" for n in drawings for kind in KINDS),
        pages=(),
    )
    try:
        with Output(folder) as output:
            shares = [drawings[place :: beside.count] for place in range(beside.count)]
            drawn = [beside.submit(_drawn, found, pairs, scatters, some) for some in shares]
            output.write("correlations.csv", csv_text(found.correlations).encode())
            output.write("leaderboard.csv", csv_text(found.leaderboard).encode())
            output.write("among.csv", csv_text(pairs.set_index("first")).encode())
            for name, table in seeds.items():
                output.write(name, csv_text(table).encode())
            figures = {forest_title(found): "figures/forest.png"}
            if "among" in drawings:
                figures[agreeing_title(pairs)] = "figures/among.png"
            text = to_markdown(found, made, figures, predicted, together)
            output.write("report.md", text.encode())
            output.write("report.html", to_html(found, made, predicted).encode())
            contents = {name: file for some in drawn for name, file in some.result().items()}
            for path in files.figures:
                output.write(f"figures/{path.name}", contents[path.name])
            for name, content in site_files(zoo, pictures, most_pages, predicted, beside):
                pages.append(output.write(name, content))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(
            f"The report cannot be written to {folder}: {reason}. Choose another folder or make "
            "room there."
        ) from error
    return replace(files, pages=tuple(page for page in pages if page != files.index))


def _seed_tables(data: ReportData) -> dict[str, Frame]:
    """Tables by the name of their file, where there is something to say."""
    if not data.by_seed:
        return {}
    return {"over_seeds.csv": data.over_seeds, "over_seeds_models.csv": data.seed_means}


def _drawn(
    found: Findings, pairs: Frame, scatters: Mapping[str, str], names: Sequence[str]
) -> dict[str, bytes]:
    # Here, as matplotlib takes a while to import, which a process that others draw for can save.
    from zoo_eval.report.figures import figure_files

    return figure_files(found, pairs, scatters, names)
