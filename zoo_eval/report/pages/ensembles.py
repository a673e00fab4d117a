"""What the networks are worth together: best partners, families, averages of all."""

from zoo_eval.report import ensemble_text, formats
from zoo_eval.report.ensembles import Ensembles
from zoo_eval.report.frames import records_of
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.tables import Cell, Column, Row, Table


def ensembles_page(zoo: Zoo, found: Ensembles, links: Links) -> str:
    """The page.

    Args:
        zoo: What is known.
        found: What the networks are worth together, or why that is not known.
        links: Where the other pages lie.
    """
    return page(
        "ensembles.html.jinja",
        zoo,
        links,
        here="ensembles",
        title="Ensembles",
        why_none=found.why_none,
        **({} if found.why_none else _shown(found, links)),
    )


def _shown(found: Ensembles, links: Links) -> dict[str, object]:
    return {
        "verdict": ensemble_text.verdict(found),
        "scope": ensemble_text.scope(found),
        "averages": ensemble_text.averages_table(found),
        "partners": _partners(found, links),
        "families": _families(found),
    }


def _partners(found: Ensembles, links: Links) -> Table:
    columns = (
        Column("Model", numeric=False),
        Column("Best partner", numeric=False),
        Column("Alone", "accuracy of the model"),
        Column("Partner alone", "accuracy of the partner"),
        Column("Together", "accuracy of the mean of their calibrated probabilities"),
        Column("Together as is", "without temperatures"),
        Column("Gain", "over the better one of the two, 95 % interval"),
        Column("Disagree", "share of images that the two give different classes"),
        Column("Both wrong", "share of images: the double fault"),
        Column("Either right", "share of images: what no way of joining them can much exceed"),
    )
    shown = found.partners.sort_values("together", ascending=False, kind="stable")
    rows = tuple(
        Row(
            (
                Cell(str(name), href=links.model(str(name))),
                Cell(line.partner, href=links.model(line.partner)),
                *(
                    Cell(formats.fixed(value), value)
                    for value in (
                        *(line.accuracy, line.accuracy_partner),
                        *(line.together, line.together_plain),
                    )
                ),
                Cell(formats.fixed(line.gain), line.gain, line.low, line.high),
                *(
                    Cell(formats.share(value), value)
                    for value in (line.disagreement, line.both_wrong, line.either_right)
                ),
            )
        )
        for name, line in records_of(shown)
    )
    return Table("partners", "The best partner of each model", columns, rows)


def _families(found: Ensembles) -> Table:
    columns = (
        Column("Family", numeric=False),
        Column("Models"),
        Column("Weight", "in the weighted average of families; all add up to 1"),
        Column("Weight as is", "without temperatures"),
        Column("Mean of its models", "accuracy of their mean probabilities"),
        Column("Best model alone", "accuracy of the one that was best on the other images"),
    )
    rows = tuple(
        Row(
            (
                Cell(str(family)),
                Cell(str(line.n_models), float(line.n_models)),
                *(
                    Cell(formats.fixed(value), value)
                    for value in (line.weight, line.weight_plain, line.accuracy, line.best_alone)
                ),
            )
        )
        for family, line in records_of(found.families)
    )
    caption = "Families, those of most weight first"
    return Table("families", caption, columns, rows)
