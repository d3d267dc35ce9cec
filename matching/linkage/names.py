"""Given, family and birth names over one list of words, so that swapped names are seen."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations

import numpy as np

from matching.linkage import folding, spelling
from matching.linkage.coded import Coded, Worded, Words
from matching.linkage.columns import Bits, Codes, Flags, Ids, Levels
from mdm.standardise.given_names import short_forms, table


@dataclass(frozen=True)
class Names(Worded):
    """The names of each record as codes, and what is known of each distinct name."""

    given: Codes
    family: Codes
    birth: Codes
    """The birth name where it differs from the family name."""
    words: Words
    first_part: Codes
    last_part: Codes
    initials: Codes
    """Code of the word made of a name's initials ("jp" for Jean-Pierre), 0 when nobody has it."""
    initial: Levels
    length: Codes
    related: Ids
    """Packed pairs of codes that are short forms of one another, the lower code first."""
    is_turned: Flags
    """Whose names were written in each other's place; `given` and `family` have been put right."""

    @cached_property
    def sexes(self) -> Levels:
        """The sexes of each known given name, also of a short form: 1 male, 2 female, 3 both."""
        known = _sexes_of_names()
        return np.array([known.get(word, 0) if word else 0 for word in self.words], np.uint8)

    @cached_property
    def is_named(self) -> Flags:
        """Which records bear a given or a family name."""
        return np.asarray((self.given > 0) | (self.family > 0))

    @cached_property
    def written(self) -> tuple[Codes, Codes]:
        """Given and family names as they were written: what lasts whatever the file is like."""
        if not self.is_turned.any():
            return self.given, self.family
        given = np.where(self.is_turned, self.family, self.given)
        return given, np.where(self.is_turned, self.given, self.family)

    @cached_property
    def written_families(self) -> tuple[Codes, ...]:
        """The family names, and the birth names where somebody has one."""
        family = self.written[1]
        return (family, self.birth) if self.birth.any() else (family,)

    @cached_property
    def spelt(self) -> tuple[Bits, Bits]:
        """Return per record the hashes of its full name in one word, in both orders; else 0.

        Only whole pairs of names that occur are spelt out. An initial beside a family name is no
        full name: of many people each has that mailbox.
        """
        given, family = self.written
        packed = given.astype(np.int64) * len(self.words) + family
        packed[np.minimum(np.take(self.length, given), np.take(self.length, family)) < 2] = 0
        distinct, place = np.unique(packed, return_inverse=True)
        given, family = np.divmod(distinct, len(self.words))
        both = list(zip(given.tolist(), family.tolist(), strict=True))
        words = [word or "" for word in self.words]
        forth = spelling.hashes([words[one] + words[other] for one, other in both])
        back = spelling.hashes([words[other] + words[one] for one, other in both])
        return forth[place], back[place]

    @cached_property
    def _relations(self) -> tuple[Codes, Flags]:
        """Number the names that have short forms or are some, 0 for all others; which are related.

        They are some hundred: a table of all pairs is small, and quicker than a search.
        """
        pairs = np.divmod(self.related, len(self.words))
        known = np.unique(pairs)
        number = np.zeros(len(self.words), np.int32)
        number[known] = np.arange(1, len(known) + 1)
        table = np.zeros((len(known) + 1, len(known) + 1), np.bool_)
        one, other = np.take(number, pairs)
        table[one, other] = table[other, one] = True
        return number, table

    def are_related(self, left: Codes, right: Codes) -> Flags:
        """Return which name codes are short forms of one another."""
        number, table = self._relations
        place = np.take(number, left) * len(table) + np.take(number, right)
        return np.take(table.ravel(), place)


def code_names(given: "Coded", family: "Coded", birth: "Coded") -> Names:
    """Code the three names together; the only name of a person is her family name."""
    spaced = [*given.words, *family.words, *birth.words]
    joined = [folding.compact(word) if word else None for word in spaced]
    index: dict[str | None, int] = {None: 0}
    of_spaced = np.array([index.setdefault(word, len(index)) for word in joined], np.int32)
    ends = len(given.words), len(given.words) + len(family.words)
    family_codes = np.take(of_spaced[ends[0] : ends[1]], family.codes)
    birth_codes = np.take(of_spaced[ends[1] :], birth.codes)
    family_codes = np.where(family_codes > 0, family_codes, birth_codes)
    birth_codes[birth_codes == family_codes] = 0
    words = list(index)
    return Names(
        given=np.take(of_spaced[: ends[0]], given.codes),
        family=family_codes,
        birth=birth_codes,
        words=words,
        initial=np.array([ord(word[0]) & 255 if word else 0 for word in words], np.uint8),
        length=np.array([len(word or "") for word in words], np.int32),
        related=_related(index),
        is_turned=np.zeros(len(family_codes), np.bool_),
        **_name_parts(spaced, joined, index),
    )


def _name_parts(
    spaced: Sequence[str | None], joined: Sequence[str | None], index: Mapping[str | None, int]
) -> dict[str, Codes]:
    """Return per joined name the codes of its first word, its last word and its initials."""
    first, last, initials = (np.zeros(len(index), np.int32) for _ in range(3))
    for word, whole in zip(spaced, joined, strict=True):
        if word and " " in word:
            parts, code = folding.name_parts(word), index[whole]
            if parts and whole != parts[0]:
                first[code], last[code] = index.get(parts[0], 0), index.get(parts[-1], 0)
                initials[code] = index.get("".join(part[0] for part in parts), 0)
    return {"first_part": first, "last_part": last, "initials": initials}


def _related(index: Mapping[str | None, int]) -> Ids:
    """Return packed pairs of names that are short forms of one another, or of a third name."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    numbers = _groups_of_names()
    for name in numbers.keys() & index.keys():
        for group in numbers[name]:
            groups[group].append(index[name])
    pairs = {
        low * len(index) + high
        for codes in groups.values()
        for low, high in combinations(sorted(codes), 2)
    }
    return np.array(sorted(pairs), np.int64)


@cache
def _groups_of_names() -> Mapping[str, tuple[int, ...]]:
    """Return the groups of each name, in one word as names are coded: a name and its forms."""
    groups: defaultdict[str, tuple[int, ...]] = defaultdict(tuple)
    for number, (full, shorts) in enumerate(short_forms().items()):
        for name in {folding.compact(folding.name(word)) for word in (full, *shorts)}:
            groups[name] += (number,)
    return dict(groups)


@cache
def _sexes_of_names() -> Mapping[str, int]:
    """Return the sexes of each given name and form, in one word as names are coded."""
    sexes: defaultdict[str, int] = defaultdict(int)
    for full, sex, shorts in table():
        for name in (full, *shorts):
            sexes[folding.compact(folding.name(name))] |= 1 if sex == "m" else 2
    return dict(sexes)
