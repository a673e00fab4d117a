"""Templates: one Jinja environment for the report and the pages, which escapes everything."""

import re
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from zoo_eval.report.svg import interval_svg

# A sign before a number or in its exponent, and no hyphen such as in "Apache-2.0".
_SIGN = re.compile(r"(?<!\w)-(?=[\d.])|(?<=\de)-(?=\d)")
# Where a name such as "vit_base_patch16_224.augreg_in21k" may be broken at the end of a line.
_BREAK = re.compile(r"(?<=[_.@,=\]])(?=\w)")


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
    filters |= {"minus": minus, "breakable": breakable, "interval_svg": interval_svg}
    return made


def render(template: str, **context: object) -> str:
    """A template with its variables filled in."""
    return environment().get_template(template).render(context)


def minus(text: str) -> str:
    """Numbers with a real minus sign, as wide as a digit.

    >>> minus("-1.5e-9 to 2"), minus("Apache-2.0")
    ('−1.5e−9 to 2', 'Apache-2.0')
    """
    return _SIGN.sub("−", text)


def breakable(name: str) -> Markup:
    """A long name that may be broken after its separators.

    >>> breakable("a_b<c")
    Markup('a_<wbr>b&lt;c')
    """
    return Markup("<wbr>").join(escape(part) for part in _BREAK.split(name))
