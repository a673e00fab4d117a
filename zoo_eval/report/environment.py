"""Templates: one Jinja environment for the report and the pages, which escapes everything."""

from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from zoo_eval.report.table_body import body_of
from zoo_eval.report.typography import breakable, minus


@cache
def environment() -> Environment:
    """The environment; a variable that a template lacks is an error."""
    templates = PackageLoader("zoo_eval.report")
    # So that a page that stands alone can take the style and the scripts into itself.
    assets = PackageLoader("zoo_eval.report", "static")
    made = Environment(
        loader=ChoiceLoader([templates, assets]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # NaN is not JSON: a figure with one is a mistake of ours, to be seen here.
    made.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    filters: dict[str, Any] = made.filters
    filters |= {"minus": minus, "breakable": breakable, "body": body_of}
    return made


def render(template: str, **context: object) -> str:
    """A template with its variables filled in."""
    return environment().get_template(template).render(context)
