"""Keys of stored scores, kept by model: quick to read, small in memory, quick to ask."""

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from zoo_eval.store.rows import ScoreKey


class SettingKey(NamedTuple):
    """The part of a score's key that a whole zoo shares; see `ScoreKey` for the columns."""

    weights: str
    seed: int
    dataset: str
    score: str
    options: str
    version: int

    def of_model(self, model: str, fingerprint: str) -> ScoreKey:
        """The whole key, of one model."""
        return ScoreKey(model, *self, fingerprint)


class StoredKeys(Set[ScoreKey]):
    """A set of keys that can be asked for one model at a time.

    A store with a million rows has only some thousand models and some hundred settings, so no
    key is made here before somebody looks at it.

    Args:
        by_model: The settings that each model has with each fingerprint.
    """

    def __init__(self, by_model: Mapping[tuple[str, str], frozenset[SettingKey]]) -> None:
        self._by_model = by_model

    @classmethod
    def of(cls, keys: Iterable[ScoreKey]) -> "StoredKeys":
        """The same keys, by model."""
        by_model: dict[tuple[str, str], set[SettingKey]] = {}
        for key in keys:
            by_model.setdefault((key.model, key.fingerprint), set()).add(_setting(key))
        return cls({model: frozenset(settings) for model, settings in by_model.items()})

    def settings(self, model: str, fingerprint: str) -> frozenset[SettingKey]:
        """The settings that a model has with a fingerprint."""
        return self._by_model.get((model, fingerprint), frozenset())

    def __contains__(self, key: object) -> bool:
        """Whether a key is stored."""
        return isinstance(key, ScoreKey) and _setting(key) in self.settings(
            key.model, key.fingerprint
        )

    def __iter__(self) -> Iterator[ScoreKey]:
        """All keys, model by model."""
        for (model, fingerprint), settings in self._by_model.items():
            for setting in settings:
                yield setting.of_model(model, fingerprint)

    def __len__(self) -> int:
        """How many keys there are."""
        return sum(map(len, self._by_model.values()))


def _setting(key: ScoreKey) -> SettingKey:
    return SettingKey(key.weights, key.seed, key.dataset, key.score, key.options, key.version)
