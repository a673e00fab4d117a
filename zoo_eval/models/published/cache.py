"""Published weights on this machine: downloads what is missing, within a budget.

The files lie where the hub's client and torch keep theirs, so what the user has already is used,
and what is downloaded here serves other programs too. The first state of a repository that this
machine computes with is noted (`ledger`), and kept to: newer weights under an old name would mix
two networks in one table.
"""

from collections import Counter
from pathlib import Path
from threading import Lock

from zoo_eval.errors import BudgetError, DownloadError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.published.book import Book, Known
from zoo_eval.models.published.cached import find, named_digest, place_of
from zoo_eval.models.published.downloader import Downloader
from zoo_eval.models.published.eviction import drop_partial, remove_file
from zoo_eval.models.published.ledger import Ledger
from zoo_eval.models.published.offer import Offer, look, state_of
from zoo_eval.models.published.room import Room
from zoo_eval.models.published.sources import is_offline, source_of

POLL_S = 0.2  # between looks whether another process is done with the same download


class WeightsCache:
    """Finds, downloads, pins and evicts published weights.

    Args:
        budget: Bytes that zoo_eval's own downloads may take on this machine; None: any number.
        tries: How often a download is tried, where another try can help.
        wait_s: Seconds between the first two tries; twice as many between the next.
        stall_s: Seconds without a byte after which a download is begun anew.

    Attributes:
        n_downloads: Files downloaded.
        bytes_downloaded: Their size.
    """

    def __init__(
        self,
        budget: int | None = None,
        *,
        tries: int = 6,
        wait_s: float = 1.0,
        stall_s: float = 60.0,
    ) -> None:
        self.n_downloads = self.bytes_downloaded = 0
        self._tries, self._wait_s = tries, wait_s
        self._downloader = Downloader(stall_s)
        self._ledger = Ledger()
        self._room = Room(budget, self._ledger)
        self._users: Counter[Path] = Counter()
        self._offers: dict[str, Offer] = {}
        self._guard = Lock()  # of the users
        self._fetching = Lock()  # the download program does one thing at a time

    def __enter__(self) -> "WeightsCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def peak_bytes(self) -> int:
        """The most that was ever held, with what was coming."""
        return self._room.peak_bytes

    def stop(self) -> None:
        """End a download that is under way in another thread, and refuse further ones."""
        self._downloader.stop()

    def close(self) -> None:
        """Stop, and release everything."""
        self.stop()
        self._downloader.end()
        self._ledger.close()

    def hold_if_here(self, line: ModelLine) -> Path | None:
        """Pin the weights until `release`, if they are on this machine; nobody is asked.

        Raises:
            WeightsError: timm knows no such weights, or the list of downloads is unusable.
        """
        source = source_of(line)
        with self._ledger.read() as book:
            path = find(source, line.weights_sha256, book)
        if path is None:
            return None
        with self._ledger.change() as book:
            if not path.exists():  # evicted since
                return None
            if source.repository and line.weights_sha256 is None:
                commit, name = place_of(path)
                if book.known(source.key(name)) is None:
                    book.keep_to(source.key(name), Known(commit, named_digest(path)))
            self._pin(path, book)
        return path

    def hold(self, line: ModelLine) -> Path:
        """Pin the weights until `release`, after downloading them if need be.

        Raises:
            BudgetError: there is no room now, but will be when others are released.
            DownloadError: they cannot be had.
            WeightsError: timm knows no such weights, or the list of downloads is unusable.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                while (path := self.hold_if_here(line)) is None:
                    with self._fetching:
                        self._fetch(line)
                return path
            except BudgetError:
                raise
            except DownloadError as error:
                if not error.heals or attempt == self._tries or self._downloader.stopped:
                    raise DownloadError(
                        f"The weights of {line.model} cannot be downloaded from "
                        f"{source_of(line).label}: {error}",
                        heals=error.heals,
                    ) from error
                self._downloader.wait(max(error.after_s, self._wait_s * 2 ** (attempt - 1)))

    def release(self, path: Path) -> None:
        """Give a pinned file free; once for each time that it was pinned."""
        with self._guard:
            self._users[path] -= 1
            last = self._users[path] <= 0
            if last:
                del self._users[path]
        if last:
            with self._ledger.change() as book:
                if not self._users[path]:
                    self._ledger.unpin(path, book)

    def trim(self) -> None:
        """Evict what is above the budget, as far as nobody uses it."""
        self._room.trim()

    def _pin(self, path: Path, book: Book) -> None:
        with self._guard:
            self._users[path] += 1
        self._ledger.pin(path, book)

    def _fetch(self, line: ModelLine) -> None:
        """Download the weights; or wait until another process has."""
        if is_offline():
            raise DownloadError("they are not on this machine, and HF_HUB_OFFLINE is set")
        # An offer that found no room is still good; the server is not asked for it again.
        offer = self._offers.pop(line.model, None) or self._look(line)
        entry = offer.entry
        try:
            while (reserved := self._room.reserve(offer)) is None:
                self._downloader.wait(POLL_S)
        except BudgetError:
            self._offers[line.model] = offer
            raise
        if not reserved:
            return
        try:
            got = self._downloader.ask(offer.request, entry.partial_bytes, offer.size)
            if offer.sha256 and got["sha256"] != offer.sha256:
                raise DownloadError(
                    f"they have the SHA-256 {got['sha256'][:12]}… there, but should have "
                    f"{offer.sha256[:12]}…"
                )
        except BaseException:
            with self._ledger.change() as book:
                drop_partial(entry)
                remove_file(entry.path)  # it was not there before, so it is not somebody else's
                book.forget(entry.path)
            raise
        with self._ledger.change() as book:
            book.complete(entry.path, got["size"])
            if line.weights_sha256 is None:
                book.keep_to(offer.key, Known(offer.commit, got["sha256"]))
        self.n_downloads += 1
        self.bytes_downloaded += got["size"]

    def _look(self, line: ModelLine) -> Offer:
        source, state = source_of(line), ("", None)
        if line.weights_sha256 is None:
            with self._ledger.read() as book:
                state = state_of(source, book)
        return look(source, line.weights_sha256, state, self._downloader)
