"""Text as a page sets it: real minus signs, and names that may be broken."""

import re

from markupsafe import Markup, escape

# A sign before a number or in its exponent, and no hyphen such as in "Apache-2.0".
_SIGN = re.compile(r"(?<!\w)-(?=[\d.])|(?<=\de)-(?=\d)")
# Where a name such as "vit_base_patch16_224.augreg_in21k" may be broken at the end of a line.
_BREAK = re.compile(r"(?<=[_.@,=\]])(?=\w)")


def minus(text: str) -> str:
    """Numbers with a real minus sign, as wide as a digit.

    >>> minus("-1.5e-9 to 2"), minus("Apache-2.0")
    ('−1.5e−9 to 2', 'Apache-2.0')
    """
    return _SIGN.sub("−", text) if "-" in text else text


def breakable(name: str) -> Markup:
    """A long name that may be broken after its separators.

    >>> breakable("a_b<c")
    Markup('a_<wbr>b&lt;c')
    """
    # None of the separators begins, ends or is in what a sign is escaped as.
    return Markup(_BREAK.sub("<wbr>", str(escape(name))))
