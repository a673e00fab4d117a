"""The page where there is nothing to show: an empty store, or a name that is not known."""

from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.zoo import Zoo


def nothing_page(here: str, title: str, message: str, zoo: Zoo | None, links: Links) -> str:
    """Say what is missing and lead on.

    Args:
        here: Which entry of the navigation it belongs to.
        title: What was asked for, or is missing.
        message: Why it is not there, and what to do.
        zoo: What the pages show; None if the store is empty.
        links: Where the other pages lie.
    """
    return page("nothing.html.jinja", zoo, links, here=here, title=title, message=message)
