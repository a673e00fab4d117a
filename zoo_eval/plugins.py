"""What installed packages add to zoo_eval, through entry points."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points

from zoo_eval.errors import InputError


def plugins(group: str) -> Iterator[tuple[EntryPoint, object]]:
    """Load what each entry point of a group names.

    Args:
        group: `zoo_eval.KIND`, the kind being what is added: `scores` or `models`.

    Raises:
        InputError: one cannot be loaded.
    """
    for entry_point in entry_points(group=group):
        yield entry_point, load(entry_point)


def load(entry_point: EntryPoint) -> object:
    """What an entry point names; whatever goes wrong there is said in one line.

    Raises:
        InputError: it cannot be loaded.
    """
    try:
        return entry_point.load()
    except Exception as error:
        package = entry_point.dist.name if entry_point.dist is not None else "an installed package"
        lines = str(error).strip().splitlines() or ["without a message"]
        raise InputError(
            f"{package} adds {entry_point.group.rpartition('.')[2]} to zoo_eval, but its entry "
            f"point {entry_point.name!r} = {entry_point.value!r} cannot be loaded: "
            f"{type(error).__name__}: {lines[0].rstrip('.')}. Repair or uninstall {package}."
        ) from error
