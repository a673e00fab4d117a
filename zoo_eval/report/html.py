"""The report as one HTML page that needs nothing else, least of all the network."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from zoo_eval.report import sentences, tables
from zoo_eval.report.figures import points, scatter_title
from zoo_eval.report.findings import Findings
from zoo_eval.report.markdown import facts
from zoo_eval.report.provenance import Provenance
from zoo_eval.report.svg import interval_svg, scatter_svg

# With more lines a page is slow to make and to show.
MAX_MODELS = 2_000


def to_html(found: Findings, made: Provenance) -> str:
    """The report as one page: style, script and pictures are in it."""
    environment = Environment(
        loader=PackageLoader("zoo_eval.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["minus"] = _minus
    return environment.get_template("report.html.jinja").render(
        question=sentences.question(found),
        scope=sentences.scope(found),
        verdict=sentences.verdict(found),
        trust=sentences.trust(found),
        how_to_read=sentences.HOW_TO_READ,
        facts=facts(found, made),
        correlations=tables.correlations_table(found),
        leaderboard=tables.leaderboard_table(found, MAX_MODELS),
        undefined=tables.undefined_table(found),
        failures=tables.failures_table(found),
        interval_svg=interval_svg,
        scatters=[(label, *_scatter(found, label)) for label in found.drawable],
        any_untrusted=bool(found.untrusted),
    )


def _minus(text: str) -> str:
    """A number with a real minus sign, as wide as a digit."""
    return text.replace("-", "−")


def _scatter(found: Findings, score: str) -> tuple[str, Markup]:
    x, y, untrusted, models = points(found, score)
    title = scatter_title(found, score)
    about = f"{score} against {found.truth}: {title}"
    return title, scatter_svg(x, y, models, untrusted, about, score, found.truth)
