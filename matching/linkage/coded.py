"""One attribute of many records as whole numbers into its distinct words."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matching.linkage import spelling
from matching.linkage.columns import Bits, Codes, Flags, Ids, Objects

Words = Sequence[str | None]


class Worded:
    """Distinct words that codes lead into, and what is worked out once for each."""

    words: Words

    @cached_property
    def spelled(self) -> Objects:
        """The words as an array: some of them are taken three times as fast as from a list."""
        return np.array(self.words, object)

    @cached_property
    def signatures(self) -> Bits:
        """Letter parity of each word (see `spelling.signatures`)."""
        return spelling.signatures(self.words)

    @cached_property
    def hashes(self) -> Bits:
        """Lasting 64 bits for each word (see `spelling.hashes`)."""
        return spelling.hashes(self.words)


@dataclass(frozen=True)
class Coded(Worded):
    """One attribute as codes into its distinct words; word 0 is the missing value."""

    codes: Codes
    words: Words

    @cached_property
    def digit_hashes(self) -> Bits:
        """Lasting 64 bits for the digits of each word, 0 for none."""
        return spelling.hashes(["".join(filter(str.isdigit, word or "")) for word in self.words])

    @cached_property
    def first_words(self) -> Codes:
        """Code of the first word of each value, 0 for the missing value: "J" for an initial."""
        numbers: dict[str, int] = {}
        starts = [word.split(" ")[0] if word else "" for word in self.words]
        return np.array(
            [numbers.setdefault(start, len(numbers) + 1) if start else 0 for start in starts],
            np.int32,
        )

    @cached_property
    def word_sets(self) -> Codes:
        """Code of the words of each value in any order."""
        return code_values(" ".join(sorted((word or "").split())) for word in self.words).codes

    @cached_property
    def counts(self) -> Codes:
        """Number of records that carry each word; 0 for the missing value."""
        counts = np.bincount(self.codes, minlength=len(self.words)).astype(np.int32)
        counts[0] = 0
        return counts

    @cached_property
    def is_known(self) -> Flags:
        """Which records have a value."""
        return np.asarray(self.codes > 0)

    @property
    def is_present(self) -> bool:
        """Whether at least two records have a value, so that there is something to compare."""
        return int(np.count_nonzero(self.codes)) >= 2

    @property
    def tells_apart(self) -> bool:
        """Whether values are present and not nearly always the same one."""
        known = int(self.counts.sum())
        return self.is_present and int(self.counts.max()) <= max(100, 0.97 * known)

    def part(self, rows: slice) -> "Coded":
        """Return the codes of some records, over the words that these carry."""
        used, codes = np.unique(np.r_[0, self.codes[rows]], return_inverse=True)
        words = [self.words[code] for code in used.tolist()]
        return Coded(codes[1:].astype(np.int32), words)

    def mapped(self, function: Callable[[str], str]) -> "Coded":
        """Return the codes of a function of the value, worked out on distinct words."""
        inner = code_values(function(word) or None if word else None for word in self.words)
        return Coded(np.take(inner.codes, self.codes), inner.words)


@dataclass(frozen=True)
class Folded:
    """Records as codes of their folded values: all that a search reads of them."""

    ids: Ids
    columns: Mapping[str, Coded]
    """Attribute -> its codes; an attribute that no record has may be left out."""
    sources: Codes | None = None

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.ids)

    def part(self, rows: slice) -> "Folded":
        """Return some of the records; their words are numbered anew."""
        columns = {name: coded.part(rows) for name, coded in self.columns.items()}
        sources = None if self.sources is None else self.sources[rows]
        return Folded(self.ids[rows], columns, sources)

    def column(self, attribute: str) -> Coded:
        """Return one attribute; nothing but missing values where no record has it."""
        found = self.columns.get(attribute)
        return found or Coded(np.zeros(len(self), np.int32), [None])


def code_values(values: Iterable[str | None]) -> Coded:
    """Return values as codes, numbered as they come."""
    # Counted apart: a dictionary that leads to itself would be kept for long.
    numbers: defaultdict[str | None, int] = defaultdict(itertools.count(1).__next__)
    numbers[None] = 0
    codes = np.fromiter(map(numbers.__getitem__, values), np.int32)
    return Coded(codes, list(numbers))
