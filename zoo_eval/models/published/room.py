"""Makes room for a download before it begins, so that the budget holds at every moment."""

from zoo_eval.byte_size import size_text
from zoo_eval.errors import BudgetError, DownloadError
from zoo_eval.models.published.book import Book
from zoo_eval.models.published.eviction import make_room, settle
from zoo_eval.models.published.ledger import Ledger
from zoo_eval.models.published.offer import Offer


class Room:
    """The room for everything that zoo_eval downloads on this machine.

    Args:
        budget: In bytes; None: any number.
        ledger: Where downloads are noted.

    Attributes:
        peak_bytes: The most that was ever held, with what was coming.
    """

    def __init__(self, budget: int | None, ledger: Ledger) -> None:
        self.peak_bytes = 0
        self._budget, self._ledger = budget, ledger

    def trim(self) -> None:
        """Evict what is above the budget, as far as nobody uses it."""
        if self._budget is not None:
            with self._ledger.change() as book:
                settle(book, self._ledger)
                make_room(book, min(book.n_bytes - self._budget, sum(book.idle().values())))

    def reserve(self, offer: Offer) -> bool | None:
        """Note a download that is about to begin, and pin it, if there is room.

        Returns:
            False if the file was downloaded meanwhile; None if another process is at it.

        Raises:
            BudgetError: there is no room now.
            DownloadError: there can be none.
        """
        with self._ledger.change() as book:
            settle(book, self._ledger)
            there = book.entries(offer.entry.path)
            if there:
                return False if there[0].complete else None
            if offer.entry.path.exists():
                raise DownloadError(f"another file is at {offer.entry.path} already", heals=True)
            if self._budget is not None:
                _require_room(offer.size, self._budget, book)
            book.note(offer.entry)
            self._ledger.pin(offer.entry.path, book)
            self.peak_bytes = max(self.peak_bytes, book.n_bytes)
        return True


def _require_room(size: int | None, budget: int, book: Book) -> None:
    if size is None:
        raise DownloadError("the server does not say how large they are, but there is a budget")
    if size > budget:
        raise DownloadError(
            f"they have {size_text(size)}, more than the whole budget of {size_text(budget)}"
        )
    excess = book.n_bytes + size - budget
    if not make_room(book, excess):
        raise BudgetError(
            f"{size_text(size)} of weights find no room in the budget of {size_text(budget)}: "
            f"{size_text(excess)} too much is in use"
        )
