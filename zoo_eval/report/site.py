"""The pages as files: a site that needs no server."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files

import pandas as pd

from zoo_eval.report.csv_text import csv_text
from zoo_eval.report.details import Details, details
from zoo_eval.report.frames import Frame
from zoo_eval.report.pages.about import about_page
from zoo_eval.report.pages.compare import Choice, compare_page
from zoo_eval.report.pages.ensembles import ensembles_page
from zoo_eval.report.pages.layout import plotly_script
from zoo_eval.report.pages.leaderboard import leaderboard_page
from zoo_eval.report.pages.model import model_page
from zoo_eval.report.pages.predictions import predictions_page
from zoo_eval.report.pages.query import Asked, LeaderboardQuery
from zoo_eval.report.pages.runs import runs_page, stored_runs
from zoo_eval.report.pages.score import score_page
from zoo_eval.report.pages.scores import scores_page
from zoo_eval.report.pages.site_links import COMPARED, TOGETHER, SiteLinks
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.predictions import METHODS, Predictions
from zoo_eval.report.slugs import slugs
from zoo_eval.side_processes import SideProcesses

# With more lines a page is slow to make and to show.
MAX_MODELS = 2_000
_SCRIPTS = ("style.css", "tables.js", "figures.js")
# What lies beside the pages.
FILES = (
    ("report.html", "the report as one page, to be mailed"),
    ("report.md", "the report as Markdown"),
    ("correlations.csv", "every statistic of every score, unrounded"),
    ("leaderboard.csv", "every model with every score, unrounded"),
)
_PREDICTED = ("predictions.csv", "what each method predicts for every model, unrounded")
_PARTNERS = ("partners.csv", "every model's best partner, unrounded")
_FAMILIES = ("families.csv", "every family's weight in an average of all, unrounded")


def site_files(
    zoo: Zoo,
    figures: dict[str, str],
    most_pages: int,
    predicted: Predictions | None,
    beside: SideProcesses | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Path below the site's folder and content of each file; the leaderboard last.

    Args:
        zoo: What the pages show.
        figures: File of each drawing by name.
        most_pages: Models and scores that get a page of their own: so many of each, the most
            accurate models and the strongest scores.
        predicted: Accuracy as it is predicted from the scores; None: it was not asked for.
        beside: What computes details of scores; None: this process.
    """
    board = zoo.board.sort_values(zoo.truth or "family", ascending=False, kind="stable")
    models = slugs(str(name) for name in board.index[:most_pages])
    scores = slugs(zoo.scores[:most_pages])
    choice = _strongest(zoo)
    methods = (list(predicted.found) or METHODS[:1]) if predicted else []
    together = zoo.ensembles
    compared = bool(choice.scores)
    links = SiteLinks(models, scores, figures, compared, together is not None, methods)
    below = replace(links, root="../")
    for name in _SCRIPTS:
        yield f"static/{name}", (files("zoo_eval.report") / "static" / name).read_bytes()
    yield "static/plotly.min.js", plotly_script()
    more = _details(zoo, list(scores), beside)
    for label, slug in scores.items():
        yield f"scores/{slug}.html", score_page(zoo, label, below, more.get(label)).encode()
    for name, slug in models.items():
        yield f"models/{slug}.html", model_page(zoo, name, below).encode()
    if choice.scores:
        yield COMPARED, compare_page(zoo, choice, links).encode()
    for method in methods:
        text = predictions_page(zoo, predicted, links, method)
        yield links.predictions(method), text.encode()
    named = list(FILES)
    if together:
        yield TOGETHER, ensembles_page(zoo, together, links).encode()
    if together and not together.why_none:
        yield _PARTNERS[0], csv_text(together.partners).encode()
        yield _FAMILIES[0], csv_text(together.families).encode()
        named += [_PARTNERS, _FAMILIES]
    if predicted and predicted.found:
        yield _PREDICTED[0], csv_text(_side_by_side(predicted)).encode()
        named.append(_PREDICTED)
    data = zoo.data
    runs = stored_runs(data.runs, data.attempts)
    yield "runs.html", runs_page(runs, zoo, links).encode()
    yield "about.html", about_page(zoo, links, tuple(named)).encode()
    yield "scores.html", scores_page(zoo, links).encode()
    everything = Asked(LeaderboardQuery(rows=MAX_MODELS))
    yield "index.html", leaderboard_page(zoo, everything, links).encode()


def _details(zoo: Zoo, labels: list[str], beside: SideProcesses | None) -> dict[str, Details]:
    found = zoo.found
    if found is None or not labels:
        return {}
    return details(
        *(zoo.data, found.truth, labels),
        resamples=found.resamples,
        seed=found.seed,
        beside=beside,
    )


def _side_by_side(predicted: Predictions) -> Frame:
    """A line per model: what is known of it, then what each method says."""
    first = next(iter(predicted.found.values())).models
    columns = {name: first[name] for name in ("family", "fold", "accuracy")}
    for method, one in predicted.found.items():
        columns |= {f"{method}_{name}": one.models[name] for name in ("predicted", "low", "high")}
    return pd.DataFrame(columns)


def _strongest(zoo: Zoo) -> Choice:
    """The two strongest scores and the three most accurate models."""
    if zoo.found is None:
        return Choice()
    defined = zoo.found.correlations["spearman_rho"].dropna().index
    pair = tuple(str(label) for label in zoo.found.scores if label in defined)[:2]
    models = tuple(str(name) for name in zoo.found.leaderboard.index[:3])
    return Choice(models, pair) if len(pair) == 2 else Choice()
