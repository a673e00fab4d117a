"""The page of a ranking: which network for these images, how sure that is, what else to know."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from zoo_eval.ranking import sentences
from zoo_eval.ranking.answer import RankedModel, Ranking
from zoo_eval.report import formats
from zoo_eval.report.environment import render
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.provenance import Provenance
from zoo_eval.report.svg import scatter_svg
from zoo_eval.report.tables import Cell, Column, Row, Table

# With more lines a page is slow to make and to show; the JSON beside it has all.
_MOST_ROWS = 2_000
_TEMPLATE = "ranking.html.jinja"


class RankingLinks:
    """Where the one other thing lies that the page needs."""

    def asset(self, name: str) -> str:
        """A style sheet or a script."""
        return f"static/{name}"


@dataclass(frozen=True)
class Samples:
    """Small pictures of one class: its name, how many images it has, and their files."""

    name: str
    files: Sequence[str]


def ranking_page(ranking: Ranking, samples: Sequence[Samples], made: Provenance) -> str:
    """The page on its own, as `zoo-eval rank` writes it.

    Args:
        ranking: What it shows.
        samples: Pictures of each class.
        made: What made it.
    """
    return render(
        _TEMPLATE,
        navigation=[("ranking", "Ranking", "index.html")],
        here="ranking",
        links=RankingLinks(),
        truths=[],
        map_style="",
        **_content(ranking, samples, made),
    )


def ranking_page_among(
    links: Links, ranking: Ranking, samples: Sequence[Samples], made: Provenance
) -> str:
    """The same among the pages of the service."""
    return page(_TEMPLATE, None, links, here="rank", **_content(ranking, samples, made))


def _content(ranking: Ranking, samples: Sequence[Samples], made: Provenance) -> dict[str, object]:
    name = ranking.dataset.rpartition("@")[0]
    facts = [
        ("Images", ranking.source),
        ("Classes", f"{len(ranking.classes):,}" if ranking.labelled else "no labels"),
        ("Networks", ranking.manifest),
        ("Command", made.command),
        ("Written", f"{made.written:%Y-%m-%d %H:%M} UTC"),
        ("Commit", made.commit),
    ]
    remarks = (
        sentences.more_images(ranking),
        sentences.plain_text(ranking),
        sentences.how(ranking),
        sentences.left_out_text(ranking),
    )
    return {
        "title": f"Which network for {name}?",
        "verdict": sentences.verdict(ranking),
        "unlabelled": "" if ranking.labelled else sentences.UNLABELLED,
        "remarks": [text for text in remarks if text],
        "ranking": _table(ranking),
        "covers": sentences.COVERS if ranking.labelled else "",
        "fronts": _fronts(ranking) if ranking.labelled else [],
        "samples": samples,
        "best": ranking.best.model,
        "snippet": ranking.snippet,
        "facts": [(what, said) for what, said in facts if said],
    }


def _table(ranking: Ranking) -> Table:
    judged = (
        (
            Column("Accuracy", "predicted for a linear probe, 95 % interval"),
            Column(f"Top {ranking.top}", "chance of being among them, over draws of the images"),
            Column("Best", "chance of being the first"),
            Column("Group", "networks of one group cannot be told apart from its first"),
        )
        if ranking.labelled
        else ()
    )
    scores = [name for name in ranking.best.scores if name not in ("params", "macs")]
    columns = (
        Column("Model", numeric=False),
        Column("Place"),
        *judged,
        Column("Params", "parameters"),
        Column("MACs", "multiply-accumulates for one image"),
        Column("Images/s", "measured here"),
        Column("Images", "that it was judged by"),
        *([Column("ImageNet", "published top-1 accuracy")] if _any_published(ranking) else []),
        Column("Licence", numeric=False),
        *(Column(name) for name in scores),
    )
    rows = tuple(_row(row, ranking, scores) for row in ranking.rows[:_MOST_ROWS])
    caption = f"Networks, best first, of {ranking.manifest}"
    return Table("ranking", caption, columns, rows, len(ranking.rows) - len(rows))


def _row(row: RankedModel, ranking: Ranking, scores: Sequence[str]) -> Row:
    judged: list[Cell] = []
    if ranking.labelled:
        low, high = (np.nan if x is None else x for x in (row.accuracy_low, row.accuracy_high))
        judged = [
            Cell(_fixed(row.accuracy), _value(row.accuracy), low, high),
            Cell(_share(row.chance_top), _value(row.chance_top)),
            Cell(_share(row.chance_best), _value(row.chance_best)),
            Cell("" if row.group is None else str(row.group), _value(row.group)),
        ]
    speed = row.images_per_second
    cells = (
        Cell(row.model),
        Cell(str(row.place), float(row.place)),
        *judged,
        Cell("" if row.params is None else formats.count(float(row.params)), _value(row.params)),
        Cell("" if row.macs is None else formats.count(float(row.macs)), _value(row.macs)),
        Cell("" if speed is None else formats.count(speed), _value(speed)),
        Cell(f"{row.n_images:,}", float(row.n_images)),
        *([Cell(_fixed(row.published), _value(row.published))] if _any_published(ranking) else []),
        Cell(row.licence or ""),
        *(_score(row.scores.get(name)) for name in scores),
    )
    plain = row.model == ranking.plain_choice.model
    return Row(cells, "plain choice" if plain else "")


def _any_published(ranking: Ranking) -> bool:
    return any(row.published is not None for row in ranking.rows)


def _score(value: float | None) -> Cell:
    return Cell("") if value is None else Cell(formats.significant(value), value)


def _value(value: int | float | None) -> float:
    return np.nan if value is None else float(value)


def _fixed(value: float | None) -> str:
    return "" if value is None else formats.fixed(value)


def _share(value: float | None) -> str:
    return "" if value is None else formats.share(value)


def _fronts(ranking: Ranking) -> list[tuple[str, str, Markup]]:
    """Title, facts and picture of accuracy against parameters and against speed."""
    found: list[tuple[str, str, Markup]] = []
    for what, title, cheaper in (
        ("params", "Accuracy against parameters", "with as few parameters"),
        ("images_per_second", "Accuracy against speed", "at as many images a second"),
    ):
        rows = [
            row
            for row in ranking.rows
            if getattr(row, what) is not None and row.accuracy is not None
        ]
        if len(rows) < 2:
            continue
        on_front = [r.pareto_params if what == "params" else r.pareto_speed for r in rows]
        about = (
            f"{sum(on_front)} of {len(rows)}, ringed, are on the front: none is better {cheaper}"
        )
        picture = scatter_svg(
            np.array([getattr(row, what) for row in rows], np.float64),
            np.array([row.accuracy for row in rows], np.float64),
            [row.model for row in rows],
            np.array(on_front, bool),
            f"{title}. {about}",
            "parameters" if what == "params" else "images per second",
            "predicted accuracy",
        )
        found.append((title, about, picture))
    return found
