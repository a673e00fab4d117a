"""A look at the images as one screen of text."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from zoo_eval.ranking.inspection.findings import Copies, Inspection
from zoo_eval.ranking.inspection.look import LONG, TINY

_EXAMPLES = 3
_MODES = {
    "1": "black and white",
    "L": "grey",
    "I;16": "16-bit grey",
    "I;16B": "16-bit grey",
    "LA": "grey with transparency",
    "P": "palette",
    "RGBA": "with transparency",
    "CMYK": "CMYK",
}


def inspection_text(found: Inspection) -> str:
    """What there is, then what to look at before trusting a ranking, at most about 20 lines."""
    notes = [*_lost(found), *_same(found), *_odd(found), *_too_small(found)]
    lines = [*_there_is(found), *(f"! {note}" for note in notes)]
    return "\n".join(lines if notes else [*lines, "Nothing about them looks wrong."])


def _there_is(found: Inspection) -> Iterable[str]:
    if not found.labelled:
        yield f"{found.source}: {_images(found.n_images)} without labels."
    else:
        sizes = sorted(found.classes.values())
        each = f"{sizes[0]:,}" if sizes[0] == sizes[-1] else f"{sizes[0]:,} to {sizes[-1]:,}"
        yield (
            f"{found.source}: {_images(found.n_images)} of {_n(len(found.classes), 'class')}, "
            f"{each} each{_largest_classes(found.classes)}."
        )
    if found.other_parents:
        yield (
            f"Classes are the folders that images lie in; these lie in "
            f"{_some(found.other_parents)}. If those are the classes, say class folder first."
        )
    if found.splits:
        yield f"All parts are taken together: {_counted(found.splits)}."
    if found.sizes is not None:
        a, b, c = (f"{w:,} × {h:,}" for w, h in _three(found))
        size = f"all {a} pixels" if a == c else f"{a} to {c} pixels, median {b}"
        odd = {_MODES.get(mode, mode): n for mode, n in found.modes.items() if mode != "RGB"}
        kinds = f"; {_counted(odd)}, made RGB" if odd else ""
        yield f"{_counted(found.formats)}; {size}{kinds}."


def _largest_classes(classes: Mapping[str, int]) -> str:
    """A few classes and their sizes, the smallest first, where they are not all alike."""
    if len(set(classes.values())) < 2:
        return ""
    order = sorted(classes.items(), key=lambda item: item[1])
    few = order if len(order) <= 2 * _EXAMPLES else [*order[:_EXAMPLES], *order[-_EXAMPLES:]]
    return f" ({', '.join(f'{name} {size:,}' for name, size in few)})"


def _lost(found: Inspection) -> Iterable[str]:
    if found.unreadable:
        yield f"{_cannot(len(found.unreadable))} be read: {_reasons(found.unreadable)}"
    if found.unusable:
        yield f"{_n(len(found.unusable), 'row')} left out: {_reasons(found.unusable)}"
    if found.ignored:
        n = sum(found.ignored.values())
        yield f"{_n(n, 'file')} not taken for images: {_counted(found.ignored)}"
    empty = [name for name, size in found.classes.items() if not size]
    if empty:
        yield f"{_n(len(empty), 'class')} without a readable image: {_some(empty)}"


def _same(found: Inspection) -> Iterable[str]:
    for exact, kind in ((True, "the same file as"), (False, "nearly the same as")):
        groups = [group for group in found.copies if group.exact == exact]
        if groups:
            n = sum(len(group.images) - 1 for group in groups)
            yield f"{_images(n)} {kind} another: {_example(groups)}"
    contradicting = [group for group in found.copies if len(group.labels) > 1]
    if contradicting:
        yield (
            f"{_n(len(contradicting), 'group')} of copies with more than one label: "
            f"{_example(contradicting)} are {' and '.join(contradicting[0].labels[:_EXAMPLES])}"
        )
    leaks = [group for group in found.copies if len(group.splits) > 1]
    if leaks:
        yield (
            f"{_n(len(leaks), 'group')} of copies in {' and '.join(leaks[0].splits)}, which makes "
            f"a test too easy: {_example(leaks)}"
        )


def _odd(found: Inspection) -> Iterable[str]:
    if found.tiny:
        yield f"{_images(len(found.tiny))} with a side below {TINY} pixels: {_some(found.tiny)}"
    if found.long:
        yield (
            f"{_images(len(found.long))} more than {LONG:g} times as long as wide, of which most "
            f"networks see the middle: {_some(found.long)}"
        )
    if found.blank:
        yield f"{_images(len(found.blank))} of a single colour: {_some(found.blank)}"


def _too_small(found: Inspection) -> Iterable[str]:
    by_reason: dict[tuple[str, bool], list[str]] = {}
    for shortage in found.shortages:
        by_reason.setdefault((shortage.why, shortage.undefined), []).append(shortage.score)
    for (why, undefined), scores in by_reason.items():
        names = ", ".join(scores)
        yield f"No value for {names}: {why}" if undefined else f"{names} will be too low: {why}"


def _three(found: Inspection) -> tuple[tuple[int, int], ...]:
    sizes = found.sizes
    assert sizes is not None
    return sizes.smallest, sizes.median, sizes.largest


def _example(groups: Sequence[Copies]) -> str:
    return " = ".join(groups[0].images[:_EXAMPLES])


def _reasons(pairs: Sequence[tuple[str, str]]) -> str:
    return _some([f"{name} ({reason})" for name, reason in pairs])


def _some(names: Sequence[str]) -> str:
    more = f", … ({len(names):,} in all)" if len(names) > _EXAMPLES else ""
    return ", ".join(islice(names, _EXAMPLES)) + more


def _counted(counts: Mapping[str, int]) -> str:
    more = ", …" if len(counts) > 2 * _EXAMPLES else ""
    return ", ".join(f"{name} {n:,}" for name, n in islice(counts.items(), 2 * _EXAMPLES)) + more


def _images(n: int) -> str:
    return _n(n, "image")


def _cannot(n: int) -> str:
    return f"{_images(n)} cannot"


def _n(n: int, noun: str) -> str:
    return f"{n:,} {noun if n == 1 else noun + ('es' if noun.endswith('s') else 's')}"
