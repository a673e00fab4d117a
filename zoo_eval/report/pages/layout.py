"""What every page has: header, navigation, style, scripts."""

import re
from functools import cache
from importlib.resources import files

from zoo_eval.report.environment import render
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.query import LeaderboardQuery
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.predictions import METHODS

# Plotly is made for pages that allow inline styles. It puts the style of its maps into the page,
# unless an element with this id is there already; no page of ours has a map.
_MAP_STYLE = re.compile(r'getElementById\("([0-9a-f]{64})"\)')


def page(template: str, zoo: Zoo | None, links: Links, **context: object) -> str:
    """A page.

    Args:
        template: Its template.
        zoo: What it shows; None for a page that shows nothing of a store.
        links: Where the other pages lie.
        **context: What the template shows: `here`, which entry of the navigation it belongs to,
            `title`, and more.
    """
    entries = (
        ("leaderboard", "Leaderboard", links.leaderboard(LeaderboardQuery())),
        ("scores", "Scores", links.scores()),
        ("predictions", "Predictions", links.predictions(METHODS[0])),
        ("ensembles", "Ensembles", links.ensembles()),
        ("compare", "Compare", links.compare()),
        ("rank", "Rank", links.rank()),
        ("runs", "Runs", links.runs()),
        ("about", "About", links.about()),
    )
    return render(
        template,
        navigation=[entry for entry in entries if entry[2]],
        truth=zoo.truth if zoo else "",
        truths=[(name, links.judged_by(name)) for name in zoo.truths] if zoo else [],
        links=links,
        map_style=map_style(),
        **context,
    )


@cache
def map_style() -> str:
    """Id of the style of Plotly's maps; empty if this version has none."""
    found = _MAP_STYLE.search(plotly_script().decode(errors="replace"))
    return found[1] if found else ""


def plotly_script() -> bytes:
    """Plotly's script, as the package `plotly` has it."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
