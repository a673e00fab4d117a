"""Which network for my images: the form that asks, and a race while it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zoo_eval.ranking.progress import RaceProgress
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.runs import RunsView

_LIMITS = ("max_params", "max_macs", "licences", "class_folder", "image_column", "label_column")
_CLASS_FOLDERS = (
    ("last", "the last folder"),
    ("first", "the first folder"),
    ("none", "no folder: without labels"),
)


@dataclass(frozen=True)
class RankForm:
    """The form.

    Attributes:
        action: Where it is posted to start a race, and asked of for a look at the images.
        manifests: Builtin ones, the usual one first.
        values: What its fields start with, by name.
        problems: Why it was refused, sentence by sentence.
        look: What was seen of the images; empty if nobody has asked.
        looking: Whether that is still to come.
    """

    action: str
    manifests: Sequence[str]
    values: Mapping[str, str]
    problems: Sequence[str] = ()
    look: str = ""
    looking: bool = False

    @property
    def limited(self) -> bool:
        """Whether one of the fields that most people leave alone is filled in."""
        return any(name in self.values for name in _LIMITS)

    @property
    def class_folders(self) -> Sequence[tuple[str, str]]:
        """Which folder may be the class, and how that is called."""
        return _CLASS_FOLDERS


def rank_page(form: RankForm | None, rankings: RunsView, links: Links) -> str:
    """The page.

    Args:
        form: None where nothing can be started.
        rankings: Those that there are.
        links: Where the other pages lie.
    """
    title = "Rank"
    return page("rank.html.jinja", None, links, here="rank", title=title, form=form, runs=rankings)


def race_page(
    name: str,
    ranking: RunsView,
    race: RaceProgress | None,
    plan: Sequence[str],
    waiting: str,
    links: Links,
) -> str:
    """A ranking that has no answer yet, or never will.

    Args:
        name: Of the images.
        ranking: The one.
        race: How far it is; None before the images were looked at.
        plan: What it is going to do.
        waiting: What is said as long as there is nothing else.
        links: Where the other pages lie.
    """
    return page(
        "race.html.jinja",
        None,
        links,
        here="rank",
        title=f"Ranking for {name}",
        name=name,
        runs=ranking,
        race=race,
        plan=plan,
        waiting=waiting,
    )
