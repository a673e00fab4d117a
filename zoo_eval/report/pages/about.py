"""What made these pages, and how to read them."""

from zoo_eval.report import sentences, tables
from zoo_eval.report.markdown import made_from, made_with
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.zoo import Zoo


def about_page(zoo: Zoo, links: Links, files: tuple[tuple[str, str], ...] = ()) -> str:
    """The page.

    Args:
        zoo: What the pages show.
        links: Where the other pages lie.
        files: Address and meaning of each file to download.
    """
    facts = made_with(zoo.made)
    if zoo.found:
        seed = f"{zoo.found.resamples:,} resamples of families, seed {zoo.found.seed}"
        facts.append(("Bootstrap", seed))
    return page(
        "about.html.jinja",
        zoo,
        links,
        here="about",
        title="About",
        question=sentences.question(zoo.found) if zoo.found else "",
        trust=sentences.trust(zoo.found) if zoo.found else "",
        how_to_read=sentences.HOW_TO_READ,
        facts=[*facts, *made_from(zoo.data)],
        failures=tables.failures_table(zoo.found) if zoo.found else None,
        files=files,
    )
