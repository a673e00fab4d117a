"""A figure on a page: what a script draws, and what is there without one."""

from dataclasses import dataclass

from zoo_eval.report.pages.plots import Plot


@dataclass(frozen=True)
class PageFigure:
    """A figure with its caption.

    Attributes:
        name: Its id on the page.
        title: What it shows.
        about: The same facts in words, for who does not see it.
        plot: What Plotly draws.
        picture: Address of a drawing for who has no script; empty if there is none.
    """

    name: str
    title: str
    about: str
    plot: Plot
    picture: str = ""
