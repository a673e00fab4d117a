"""Numbers as text: as many digits as mean something, and a unit where one helps."""

import math

_PREFIXES = ("k", "M", "G", "T", "P")


def fixed(value: float, digits: int = 3) -> str:
    """A number near 1 with fixed decimals; empty for NaN.

    >>> fixed(0.86549), fixed(-0.0001), fixed(math.nan)
    ('0.865', '0.000', '')
    """
    if math.isnan(value):
        return ""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def share(value: float) -> str:
    """A share in per cent, where only all is 100 % and only nothing is 0 %; empty for NaN.

    >>> share(1.0), share(0.99987), share(0.68), share(0.0001), share(0.0)
    ('100%', '99.9%', '68.0%', '0.1%', '0%')
    """
    if math.isnan(value):
        return ""
    if value in (0, 1):
        return f"{value:.0%}"
    return f"{min(max(value, 0.001), 0.999):.1%}"


def p_value(value: float) -> str:
    """A p-value, whose exact size does not matter once it is tiny.

    >>> p_value(3e-40), p_value(0.0421)
    ('< 0.001', '0.042')
    """
    return "< 0.001" if value < 0.001 else fixed(value)


def count(value: float) -> str:
    """A large number with three digits and a prefix.

    >>> count(25_557_032.0), count(999_950.0), count(640.0), count(math.nan)
    ('25.6 M', '1.00 M', '640', '')
    """
    if math.isnan(value):
        return ""
    mantissa, exponent = f"{value:.2e}".split("e")
    thousands = int(exponent) // 3
    if not 1 <= thousands <= len(_PREFIXES):
        return f"{value:.0f}" if thousands == 0 else f"{value:.2e}"
    digits = 2 - int(exponent) % 3
    return f"{float(mantissa) * 10 ** (2 - digits):.{digits}f} {_PREFIXES[thousands - 1]}"


def significant(value: float) -> str:
    """Any number with four digits; empty for NaN.

    >>> significant(0.123456), significant(-27.5), significant(1.5e-9), significant(123456.0)
    ('0.1235', '-27.50', '1.500e-9', '1.235e5')
    >>> significant(1186.0), significant(0.0), significant(3.0)
    ('1186', '0', '3.000')
    """
    if math.isnan(value) or value == 0:
        return "" if math.isnan(value) else "0"
    mantissa, exponent = f"{value:.3e}".split("e")
    if -4 <= int(exponent) <= 4:
        return f"{value:.{max(3 - int(exponent), 0)}f}"
    return f"{mantissa}e{int(exponent)}"


def seconds(value: float) -> str:
    """A duration in seconds, without digits that no clock is good for.

    >>> seconds(0.0123), seconds(3.14), seconds(421.3), seconds(0.0002), seconds(math.nan)
    ('0.012', '3.1', '421', '< 0.001', '')
    """
    if math.isnan(value):
        return ""
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def tick(value: float) -> str:
    """A number at an axis, as short as it can be.

    >>> tick(0.25), tick(2e6), tick(0.0), tick(1e40), tick(0.00002)
    ('0.25', '2M', '0', '1e40', '2e-5')
    """
    size = abs(value)
    if 1e3 <= size < 1e18:
        thousands = min(int(math.log10(size) + 1e-9) // 3, len(_PREFIXES))
        return f"{value / 1000**thousands:g}{_PREFIXES[thousands - 1]}"
    if value != 0 and not 1e-3 <= size < 1e3:
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:g}"
