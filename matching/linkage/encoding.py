"""Records as whole numbers: equal codes mean equal folded values, 0 means no value.

Everything that depends on a value alone (its letters, words, frequency) is worked out once per
distinct value; comparing a pair is then gathering and comparing numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from matching.linkage import folding
from matching.linkage.columns import Bits, Codes, Columns, Flags, Ids, Levels, Objects
from matching.linkage.nicknames import short_forms

SHARED_BY = 10
"""A phone or e-mail on more records than this belongs to a household or a shop, not a person."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789 @.-_'+"
_LETTER_BITS = np.zeros(256, np.uint64)
for _position, _letter in enumerate(_ALPHABET):
    _LETTER_BITS[ord(_letter)] = np.uint64(1) << np.uint64(_position)


@dataclass(frozen=True)
class Coded:
    """One attribute as codes into its distinct words; word 0 is the missing value."""

    codes: Codes
    words: Objects

    @cached_property
    def signatures(self) -> Bits:
        """Letters that occur an odd number of times in each word, as bits.

        One edit changes at most two of them, a swap of neighbours none: words within k edits
        differ in at most 2k bits, so the filter loses no close pair.
        """
        return signatures(self.words)

    @cached_property
    def counts(self) -> Codes:
        """Number of records with each word; 0 for the missing value."""
        counts = np.bincount(self.codes, minlength=len(self.words)).astype(np.int32)
        counts[0] = 0
        return counts

    @cached_property
    def packed_digits(self) -> Bits:
        """Each word's digits, four bits each, so that all digits of two words compare at once."""
        digits = ["".join(filter(str.isdigit, word or ""))[:16] for word in self.words]
        return np.array([int(number or "0", 16) for number in digits], np.uint64)

    @property
    def is_present(self) -> bool:
        """Whether at least two records have a value, so that there is something to compare."""
        return int(np.count_nonzero(self.codes)) >= 2

    def mapped(self, function: Callable[[str], str]) -> "Coded":
        """Return the codes of a function of the value, worked out on distinct words."""
        values = np.empty(len(self.words), object)
        values[:] = [function(word) if word else None for word in self.words]
        inner = code_values(values)
        return Coded(inner.codes[self.codes], inner.words)


@dataclass(frozen=True)
class Names:
    """Given, family and birth names over one list of words, so that swapped names are seen."""

    given: Codes
    family: Codes
    birth: Codes
    words: Objects
    first_part: Codes
    last_part: Codes
    initials: Codes
    """Code of the word made of a name's initials ("jp" for Jean-Pierre), 0 when nobody has it."""
    initial: Levels
    length: Codes
    related: Ids
    """Sorted packed pairs of codes that are short forms of one another."""

    @cached_property
    def signatures(self) -> Bits:
        """Letter parity of each name (see `Coded.signatures`)."""
        return signatures(self.words)

    def are_related(self, left: Codes, right: Codes) -> Flags:
        """Return which name codes are short forms of one another."""
        if not len(self.related):
            return np.zeros(len(left), np.bool_)
        packed = _packed(left, right, len(self.words))
        found = np.searchsorted(self.related, packed)
        return np.asarray(self.related[np.minimum(found, len(self.related) - 1)] == packed)


@dataclass(frozen=True)
class Encoded:
    """All records of a run, ready to be blocked and compared."""

    size: int
    names: Names
    given_bands: Levels
    family_bands: Levels
    sex: Coded
    birth_date: Coded
    birth_parts: tuple[Codes, Codes, Codes]
    """Year, month and day of each record; 0 where unknown."""
    email: Coded
    local_part: Coded
    phones: tuple[Coded, Coded]
    identifier: Coded
    organisation: Coded
    number: Coded
    street: Coded
    postcode: Coded
    city: Coded

    @cached_property
    def phone_counts(self) -> Codes:
        """Number of records that carry each phone number, in either place."""
        return np.asarray(self.phones[0].counts + self.phones[1].counts, np.int32)

    @cached_property
    def email_names_owner(self) -> Flags:
        """Whether a record's e-mail contains its own given name."""
        owned = np.zeros(self.size, np.bool_)
        local, given = self.local_part, self.names
        for record in np.flatnonzero((local.codes > 0) & (given.given > 0)).tolist():
            first = given.words[given.first_part[given.given[record]] or given.given[record]]
            owned[record] = len(first) > 2 and first in local.words[local.codes[record]]
        return owned

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that at least two records have, in pattern order."""
        present = {
            "given_name": np.count_nonzero(self.names.given) >= 2,
            "family_name": np.count_nonzero(self.names.family) >= 2,
            "address": any(c.is_present for c in (self.street, self.postcode, self.city)),
            "phone": self.phones[0].is_present,
            "email": self.email.is_present,
            "birth_date": self.birth_date.is_present,
            "identifier": self.identifier.is_present,
            "organisation": self.organisation.is_present,
            "sex": self.sex.is_present,
        }
        return tuple(field for field, is_present in present.items() if is_present)


def encode(columns: Columns) -> Encoded:
    """Return the records as codes; `columns` are in the order of their ids."""
    folded = {name: folded_column(columns, name) for name in folding.FOLDS}
    names = _names(folded["given_name"], folded["family_name"], folded["birth_name"])
    birth_date = code_values(folded["birth_date"])
    email = code_values(folded["email"])
    return Encoded(
        size=len(columns),
        names=names,
        given_bands=frequency_bands(names.given, len(names.words)),
        family_bands=frequency_bands(names.family, len(names.words)),
        sex=code_values(folded["sex"]),
        birth_date=birth_date,
        birth_parts=_birth_parts(birth_date),
        email=email,
        local_part=email.mapped(lambda value: value.rpartition("@")[0]),
        phones=_phones(folded["phone"], folded["other_phone"]),
        identifier=code_values(folded["identifier"]),
        organisation=code_values(folded["organisation"]),
        number=code_values(folded["street_number"]),
        street=code_values(folded["street"]),
        postcode=code_values(folded["postcode"]),
        city=code_values(folded["city"]),
    )


def folded_column(columns: Columns, attribute: str) -> Objects:
    """Return one attribute folded, None where nothing is left; each distinct value folds once."""
    codes, distinct = pd.factorize(columns.column(attribute))
    fold = folding.FOLDS[attribute]
    folded = np.empty(len(distinct) + 1, object)
    folded[:] = [*(fold(str(value)) or None for value in distinct), None]
    return folded[codes]


def code_values(values: Objects) -> Coded:
    """Return values as codes; words are in sorted order, so codes do not depend on row order."""
    codes, distinct = pd.factorize(values)
    words = np.empty(len(distinct) + 1, object)
    words[0] = None
    words[1:] = np.sort(np.asarray(distinct, object))
    rank = np.zeros(len(distinct) + 1, np.int32)
    rank[np.argsort(np.asarray(distinct, object))] = np.arange(1, len(distinct) + 1)
    return Coded(rank[codes], words)


def signatures(words: Objects) -> Bits:
    """Return the letter-parity bits of each word, 0 for None."""
    spelled = [(word or "").encode("ascii", "replace") for word in words]
    lengths = np.array([len(word) for word in spelled], np.int64)
    result = np.zeros(len(words), np.uint64)
    letters = np.frombuffer(b"".join(spelled), np.uint8)
    if len(letters):
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        has_letters = lengths > 0
        result[has_letters] = np.bitwise_xor.reduceat(_LETTER_BITS[letters], starts[has_letters])
    return result


def frequency_bands(codes: Codes, size: int) -> Levels:
    """Return per record 1 for a rare value, 2 usual, 3 common, 0 for none.

    The yardstick is the share at which two people agree by chance on the average.
    """
    counts = np.bincount(codes, minlength=size).astype(np.float64)
    counts[0] = 0
    share = counts / max(1.0, counts.sum())
    by_chance = float((share * share).sum())
    bands = np.where(share < by_chance / 6, 1, np.where(share < by_chance * 1.2, 2, 3))
    bands[0] = 0
    return bands.astype(np.uint8)[codes]


def _names(given: Objects, family: Objects, birth: Objects) -> Names:
    """Code the three names together; the only name of a person is her family name."""
    family = np.where(family == None, birth, family)  # noqa: E711 - element by element
    size = len(given)
    spaced = code_values(np.concatenate([given, family, birth]))
    joined = spaced.mapped(folding.compact)
    codes = joined.codes
    family_codes, birth_codes = codes[size : 2 * size], codes[2 * size :].copy()
    birth_codes[birth_codes == family_codes] = 0
    index = {word: code for code, word in enumerate(joined.words) if word}
    return Names(
        given=codes[:size],
        family=family_codes,
        birth=birth_codes,
        words=joined.words,
        initial=np.array([ord(word[0]) if word else 0 for word in joined.words], np.uint8),
        length=np.array([len(word or "") for word in joined.words], np.int32),
        related=_related(index),
        **_name_parts(spaced, index),
    )


def _name_parts(spaced: Coded, index: Mapping[str, int]) -> dict[str, Codes]:
    """Return per joined name the codes of its first word, its last word and its initials."""
    size = len(index) + 1
    first, last, initials = (np.zeros(size, np.int32) for _ in range(3))
    of_spaced = joined_code_of(spaced, index)
    for code, word in zip(of_spaced, spaced.words, strict=True):
        parts = folding.name_parts(word or "")
        if word and parts and folding.compact(word) != parts[0]:
            first[code], last[code] = index.get(parts[0], 0), index.get(parts[-1], 0)
            initials[code] = index.get("".join(part[0] for part in parts), 0)
    return {"first_part": first, "last_part": last, "initials": initials}


def joined_code_of(spaced: Coded, index: Mapping[str, int]) -> Codes:
    """Return for each spaced name the code of the same name without blanks."""
    return np.array([index.get(folding.compact(word or ""), 0) for word in spaced.words], np.int32)


def _related(index: Mapping[str, int]) -> Ids:
    """Return packed pairs of names that are short forms of one another, or of a third name."""
    pairs: set[int] = set()
    for full, shorts in short_forms().items():
        codes = [index[name] for name in sorted({full, *shorts}) if name in index]
        pairs.update(
            low * (len(index) + 1) + high for low in codes for high in codes if low < high
        )
    return np.array(sorted(pairs), np.int64)


def _packed(left: Codes, right: Codes, size: int) -> Ids:
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right)
    return np.asarray(low * size + high, np.int64)


def _phones(first: Objects, second: Objects) -> tuple[Coded, Coded]:
    """Code both phone columns over one list of words; no record's second repeats its first."""
    size = len(first)
    both = code_values(np.concatenate([first, second]))
    one, two = both.codes[:size].copy(), both.codes[size:].copy()
    two[two == one] = 0
    only_second = (one == 0) & (two > 0)
    one[only_second], two[only_second] = two[only_second], 0
    return Coded(one, both.words), Coded(two, both.words)


def _birth_parts(birth_date: Coded) -> tuple[Codes, Codes, Codes]:
    texts = [
        word if word and len(word) == 8 and word.isdigit() else "00000000"
        for word in birth_date.words
    ]
    slices = (slice(0, 4), slice(4, 6), slice(6, 8))
    parts = [np.array([int(text[part]) for text in texts], np.int32) for part in slices]
    codes = birth_date.codes
    return parts[0][codes], parts[1][codes], parts[2][codes]
