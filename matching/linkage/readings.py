"""How rules want comparisons read: fields that do not count, levels that count as others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from matching.levels import LEVELS
from matching.linkage.columns import Levels


@dataclass(frozen=True)
class Reading:
    """What is left of a comparison for those who score it; as found by default."""

    left_out: frozenset[str] = frozenset()
    """Fields that are not compared."""
    tables: Mapping[str, Levels] = field(default_factory=dict)
    """Field -> for each of its levels the one it is read as; only fields where some differ."""

    @classmethod
    def of(cls, left_out: Iterable[str], read_as: Iterable[tuple[str, str, str]]) -> "Reading":
        """Return the reading of some (field, level, level it is read as), levels by name."""
        tables: dict[str, Levels] = {}
        for name, found, meant in read_as:
            levels = LEVELS[name]
            table = tables.setdefault(name, np.arange(len(levels), dtype=np.uint8))
            table[levels[found.upper()]] = levels[meant.upper()]
        return cls(frozenset(left_out), tables)

    def read(self, levels: dict[str, Levels]) -> dict[str, Levels]:
        """Return the levels of each field as they are to be read."""
        for name in self.tables.keys() & levels.keys():
            levels[name] = np.take(self.tables[name], levels[name])
        return levels


AS_FOUND = Reading()
