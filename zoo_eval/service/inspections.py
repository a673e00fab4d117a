"""Looks at images before anything is computed of them, in a process of its own."""

import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field

from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.ranking.inspection import inspect_images, inspection_text
from zoo_eval.service.aside import Aside

_NICENESS = 10
_MOST = 20
_KEPT_S = 60.0  # then the images are looked at anew: their owner may have put them right


@dataclass
class _Look:
    future: "Future[str]"
    done_at: float = field(default=float("inf"))


class Inspections:
    """Begins a look where somebody asks for one, and keeps what it saw for a moment."""

    def __init__(self) -> None:
        self._aside = Aside(_NICENESS)
        self._looks: OrderedDict[DatasetSpec, _Look] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, images: DatasetSpec) -> "Future[str] | None":
        """What was seen, as text, once it is done; None: too many are underway.

        Raises:
            ServiceError: the service ends.
        """
        with self._lock:
            self._forget()
            if images not in self._looks:
                if len(self._looks) >= _MOST:
                    return None
                look = _Look(self._aside.begin(_text, images))
                look.future.add_done_callback(lambda _: _ended(look))
                self._looks[images] = look
            return self._looks[images].future

    def stop(self) -> None:
        """End what is underway."""
        self._aside.stop()

    def _forget(self) -> None:
        before = time.monotonic() - _KEPT_S
        for images in [each for each, look in self._looks.items() if look.done_at < before]:
            del self._looks[images]


def _ended(look: _Look) -> None:
    look.done_at = time.monotonic()


def _text(images: DatasetSpec) -> str:
    return inspection_text(inspect_images(images))
