"""What ensembles come to, in sentences and as a table: the same for every output format."""

from zoo_eval.report import formats
from zoo_eval.report.ensembles import Ensembles
from zoo_eval.report.frames import records_of
from zoo_eval.report.tables import Cell, Column, Row, Table


def verdict(found: Ensembles) -> str:
    """Whether the weighted average of all beats the best network."""
    alone, weighted = found.averages.iloc[0], found.averages.iloc[-1]
    wins = weighted["low"] > 0
    return (
        f"{'Together they are better' if wins else 'Together they are not surely better'}: "
        f"{alone.name} is right on {formats.share(alone['accuracy'])} of the images, the "
        f"{weighted.name} on {formats.share(weighted['accuracy'])}, "
        f"{points(weighted['gain'], weighted['low'], weighted['high'])}."
    )


def scope(found: Ensembles) -> str:
    """On which networks and images this rests."""
    text = (
        f"{len(found.partners)} trained networks on {found.dataset}. Partners, weights and "
        f"temperatures were chosen on {found.n_choosing:,} of its images, all numbers are from the "
        f"other {found.n_judging:,}."
    )
    return f"{text} {found.left_out} more were left out." if found.left_out else text


def points(gain: float, low: float, high: float) -> str:
    """A gain in points with its interval.

    >>> points(0.0125, -0.005, 0.03)
    '+1.2 points (95 % interval -0.5 to +3.0)'
    """
    return f"{100 * gain:+.1f} points (95 % interval {100 * low:+.1f} to {100 * high:+.1f})"


def averages_table(found: Ensembles) -> Table:
    """Ways to answer with all networks, the best one alone first."""
    columns = (
        Column("Answer of", numeric=False),
        Column("Accuracy"),
        Column("Gain", "in accuracy over the best network alone, 95 % interval"),
        Column("Log loss", "nats, with temperatures; lower is better"),
        Column("Log loss as is", "nats, without temperatures"),
    )
    rows = tuple(
        Row(
            (
                Cell(str(name)),
                Cell(formats.fixed(line.accuracy), line.accuracy),
                Cell(formats.fixed(line.gain), line.gain, line.low, line.high)
                if place
                else Cell(""),
                Cell(formats.fixed(line.log_loss), line.log_loss),
                Cell(formats.fixed(line.log_loss_plain), line.log_loss_plain),
            ),
            "baseline" if place == 0 else "",
        )
        for place, (name, line) in enumerate(records_of(found.averages))
    )
    return Table("averages", "Averages of probabilities", columns, rows, sortable=False)
