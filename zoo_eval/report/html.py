"""The report as one HTML page that needs nothing else, least of all the network."""

from markupsafe import Markup

from zoo_eval.report import sentences, tables
from zoo_eval.report.environment import render
from zoo_eval.report.figure_content import points, scatter_title
from zoo_eval.report.findings import Findings
from zoo_eval.report.markdown import facts
from zoo_eval.report.predictions import Predictions
from zoo_eval.report.provenance import Provenance
from zoo_eval.report.svg import scatter_svg

# With more lines a page is slow to make and to show.
MAX_MODELS = 2_000


def to_html(found: Findings, made: Provenance, predicted: Predictions | None = None) -> str:
    """The report as one page: style, script and pictures are in it."""
    return render(
        "report.html.jinja",
        question=sentences.question(found),
        scope=sentences.scope(found),
        verdict=sentences.verdict(found),
        trust=sentences.trust(found),
        how_to_read=sentences.HOW_TO_READ,
        facts=facts(found, made),
        correlations=tables.correlations_table(found),
        seeds=tables.seeds_table(found.data, found.scores),
        leaderboard=tables.leaderboard_table(found, MAX_MODELS),
        undefined=tables.undefined_table(found),
        failures=tables.failures_table(found),
        scatters=[(label, *_scatter(found, label)) for label in found.drawable],
        predicted=predicted.verdicts if predicted else [],
        any_untrusted=bool(found.untrusted),
    )


def _scatter(found: Findings, score: str) -> tuple[str, Markup]:
    x, y, untrusted, models = points(found, score)
    title = scatter_title(found, score)
    about = f"{score} against {found.truth}: {title}"
    return title, scatter_svg(x, y, models, untrusted, about, score, found.truth)
