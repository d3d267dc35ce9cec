"""Records as whole numbers: equal codes mean equal folded values, 0 means no value.

Everything that depends on a value alone (its letters, words, frequency) is worked out once per
distinct value; comparing a pair is then gathering and comparing numbers.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from matching.levels import GivenName
from matching.linkage import folding, spelling
from matching.linkage.coded import Coded, Folded, code_values
from matching.linkage.columns import Bits, Codes, Columns, Flags, Levels
from matching.linkage.known import (
    Known,
    NameOrder,
    borne_by_many,
    frequency_bands,
    hashes_of,
    is_among,
    learn_bands,
)
from matching.linkage.mailboxes import named_after_owner, of_households, of_households_perhaps
from matching.linkage.name_order import learn_order, put_right
from matching.linkage.names import Names, code_names
from matching.linkage.organisations import told_by_kind
from matching.linkage.readings import AS_FOUND, Reading
from matching.linkage.rows import Rows, in_rows

SHARED_BY = 10
"""A phone or e-mail on more records than this belongs to a household or a shop, not a person."""


@dataclass(frozen=True)
class Encoded:
    """All records of a run, ready to be blocked and compared."""

    size: int
    names: Names
    bands: Mapping[str, Levels]
    """Field -> per record 1 for a rare value, 2 usual, 3 common, 0 for none."""
    borne: Mapping[str, Flags]
    """`given_name`, `family_name` -> per word whether so many bear it that it is no slip."""
    shared: Mapping[str, Flags]
    """`phone`, `email` -> per word whether many records carry it or it names a household."""
    perhaps_shared: Flags
    """Per word of e-mails whether it names a household, unless it names its owner."""
    birth_date: Coded
    births: Bits
    """Per record the birth date as digits yyyymmdd, four bits each; 0 where unknown."""
    emails: tuple[Coded, ...]
    local_parts: tuple[Coded, ...]
    hosts: Codes
    """Code of the host of each e-mail word."""
    phones: tuple[Coded, ...]
    phone_digits: Bits
    """Digits of each phone word, four bits each."""
    texts: Mapping[str, Coded]
    """The attributes that need no preparation, by name."""
    email_names_owner: Flags
    """Whether a record's e-mail is named after its given name."""
    mailboxes: Bits
    """Per record with an e-mail and no given name the letters of its mailbox, hashed; else 0."""
    sources: Codes
    """Per record its source, 0 where that is unknown or not to be compared."""
    order: NameOrder
    """How names were told that had been written in the other order."""
    known: Known | None = None
    """What the whole file is like, when these records are only some of it."""
    reading: Reading = AS_FOUND
    """Which fields are left out, and which levels are read as others."""

    @cached_property
    def part_hashes(self) -> dict[str, Bits]:
        """Hashes per word of the parts of keys that were asked for (see `keys`)."""
        return {}

    @cached_property
    def is_organisation(self) -> Flags:
        """Which records name an organisation and no person."""
        names = self.names
        has_name = (names.given > 0) | (names.family > 0) | (names.birth > 0)
        found: Flags = (self.texts["organisation"].codes > 0) & ~has_name
        return found

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that two records have and that tell records apart, in pattern order."""
        if self.known is not None:
            return self.known.fields
        address = (self.texts[name] for name in ("street", "postcode", "city"))
        present = {
            "given_name": np.count_nonzero(self.names.given) >= 2,
            "family_name": np.count_nonzero(self.names.family) >= 2,
            "address": any(coded.is_present for coded in address),
            "phone": self.phones[0].is_present,
            "email": self.emails[0].is_present,
            "birth_date": self.birth_date.is_present,
            **{name: self.texts[name].tells_apart for name in TEXT_FIELDS},
            "source": len(np.unique(self.sources[self.sources > 0])) > 1,
            "kind": self.is_organisation.any(),
            "kinship": np.count_nonzero(self.names.given) >= 2 or self.birth_date.is_present,
        }
        told = (field for field, is_present in present.items() if is_present)
        return tuple(field for field in told if field not in self.reading.left_out)

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """What is compared at first sight, in the order in which it stands in `rows`."""
        asked = [_PARTS_OF_FIELDS.get(field, (field,)) for field in self.fields]
        return tuple(dict.fromkeys((*_ALWAYS_ASKED, *itertools.chain(*asked))))

    @cached_property
    def rows(self) -> Rows:
        """One row per record, one place per attribute, 0 where it is missing."""
        columns: dict[str, npt.NDArray[Any]] = {
            "given_name": self.names.given,
            "family_name": self.names.family,
            "phone": self.phones[0].codes,
            "email": self.emails[0].codes,
            "birth_date": self.births,
            "source": self.sources,
            "kind": np.where(self.is_organisation, 2, 1),
            **{name: coded.codes for name, coded in self.texts.items()},
        }
        return in_rows([columns[name] for name in self.attributes])


TEXT_FIELDS = tuple(
    "identifier organisation sex middle_name birth_place occupation country registration "
    "website".split()
)
"""Fields that are one attribute each."""

BANDED_TEXTS = ("organisation", "middle_name", "birth_place", "occupation")


_PLACES = ("street_number", "street", "postcode", "city")
_PARTS_OF_FIELDS = {"address": ("street", "postcode", "city"), "kinship": ()}
_ALWAYS_ASKED = ("given_name", "family_name", "email")
"""A name may stand in a mailbox, and the other record's name tells more of it."""


def encode(
    records: Columns | Folded,
    known: Known | None = None,
    *,
    compare_sources: bool = True,
    reading: Reading = AS_FOUND,
) -> Encoded:
    """Return the records as codes; they are in the order of their ids.

    Args:
        records: their values, folded or not.
        known: what the whole file is like, when these records are only some of it.
        compare_sources: whether it tells something that two records are of one source; not
            where pairs within a source are not looked at.
        reading: which fields are left out, and which levels are read as others.
    """
    whole = records if isinstance(records, Folded) else fold(records)
    sources = records.sources if compare_sources else None
    folded = {name: whole.column(name) for name in folding.FOLDS}
    names = code_names(folded["given_name"], folded["family_name"], folded["birth_name"])
    order = learn_order(names) if known is None else known.order
    names = put_right(names, order)
    birth_date = folded["birth_date"]
    emails = _together(folded["email"], folded["other_email"])
    phones = _together(folded["phone"], folded["other_phone"])
    locals_ = emails[0].mapped(lambda value: value.rpartition("@")[0])
    letters = ["".join(filter(str.isalpha, word or "")) for word in locals_.words]
    texts = {name: folded[name] for name in (*TEXT_FIELDS, *_PLACES)}
    return Encoded(
        size=len(records),
        names=names,
        bands=_all_bands(names, texts, known),
        borne={field: _borne(field, coded, known) for field, coded in _of_names(names).items()},
        shared=_all_shared(phones, emails, known),
        perhaps_shared=of_households_perhaps(emails[0].words),
        birth_date=birth_date,
        births=np.take(spelling.packed_dates(birth_date.words), birth_date.codes),
        emails=emails,
        local_parts=(locals_, *(_local_part(locals_, emails[0], other) for other in emails[1:])),
        hosts=code_values((word or "").rpartition("@")[2] for word in emails[0].words).codes,
        phones=phones,
        phone_digits=spelling.packed_digits(phones[0].words),
        texts=texts,
        email_names_owner=named_after_owner(locals_, letters, names),
        mailboxes=_mailboxes(locals_, letters, names),
        sources=np.zeros(len(records), np.int32) if sources is None else sources,
        order=order,
        known=known,
        reading=reading,
    )


def fold(columns: Columns) -> Folded:
    """Return the records with their values folded and coded; each distinct value folds once."""
    columns = told_by_kind(columns)
    present = [name for name in folding.FOLDS if columns.column(name) is not None]
    return Folded(
        columns.ids, {name: folded_column(columns, name) for name in present}, columns.sources
    )


def learn_known(encoded: Encoded) -> Known:
    """Return what these records, as a whole file, tell about how common values are."""
    banded = _banded(encoded.names, encoded.texts)
    contacts = {"phone": encoded.phones[0], "email": encoded.emails[0]}
    return Known(
        encoded.fields,
        {field: learn_bands(coded, encoded.bands[field]) for field, coded in banded.items()},
        {
            field: hashes_of(coded, np.flatnonzero(encoded.shared[field]))
            for field, coded in contacts.items()
        },
        {
            field: hashes_of(coded, np.flatnonzero(encoded.borne[field]))
            for field, coded in _of_names(encoded.names).items()
        },
        encoded.order,
    )


def _banded(names: Names, texts: Mapping[str, Coded]) -> dict[str, Coded]:
    """Return the fields in which a rare value says more than a common one."""
    return {**_of_names(names), **{name: texts[name] for name in BANDED_TEXTS}}


def _of_names(names: Names) -> dict[str, Coded]:
    return {
        "given_name": Coded(names.given, names.words),
        "family_name": Coded(names.family, names.words),
    }


def folded_column(columns: Columns, attribute: str) -> Coded:
    """Return one attribute folded and coded; each distinct value folds once."""
    values = columns.column(attribute)
    if values is None:
        return Coded(np.zeros(len(columns), np.int32), [None])
    return code_values(values.tolist()).mapped(folding.FOLDS[attribute])


def _all_bands(names: Names, texts: Mapping[str, Coded], known: Known | None) -> dict[str, Levels]:
    """Return the bands of all fields; that initials are equal says no more than that they fit."""
    found = {field: _bands(field, coded, known) for field, coded in _banded(names, texts).items()}
    found["given_name"][np.take(names.length, names.given) == 1] = GivenName.SHORT_FORM
    return found


def _bands(field: str, coded: Coded, known: Known | None) -> Levels:
    if known is None:
        return frequency_bands(coded.codes, len(coded.words))
    return np.take(known.bands[field].of(coded.hashes), coded.codes)


def _borne(field: str, coded: Coded, known: Known | None) -> Flags:
    if known is None:
        return borne_by_many(coded.counts)
    return is_among(coded.hashes, known.borne.get(field, coded.hashes[:0]))


def _all_shared(
    phones: tuple[Coded, ...], emails: tuple[Coded, ...], known: Known | None
) -> dict[str, Flags]:
    of_several = _widely_shared("email", emails, known) | of_households(emails[0].words)
    return {"phone": _widely_shared("phone", phones, known), "email": of_several}


def _widely_shared(field: str, coded: tuple[Coded, ...], known: Known | None) -> Flags:
    if known is None:
        return np.asarray(sum(one.counts for one in coded) > SHARED_BY)
    return is_among(coded[0].hashes, known.shared[field])


def _together(first: Coded, second: Coded) -> tuple[Coded, ...]:
    """Code two columns over one list of words; no record's second repeats its first."""
    if not second.is_present and not np.count_nonzero(second.codes):
        return (first,)
    words = code_values([*first.words, *second.words])
    split = len(first.words)
    one = np.take(words.codes[:split], first.codes)
    two = np.take(words.codes[split:], second.codes)
    two[two == one] = 0
    only_second = (one == 0) & (two > 0)
    one[only_second], two[only_second] = two[only_second], 0
    return Coded(one, words.words), Coded(two, words.words)


def _local_part(locals_: Coded, first: Coded, other: Coded) -> Coded:
    """Return the part before the @ of another e-mail, over the same words as that of the first."""
    index = {word: code for code, word in enumerate(locals_.words)}
    words = list(locals_.words)
    of_word = np.zeros(len(first.words), np.int32)
    for code, word in enumerate(first.words):
        if word:
            local = word.rpartition("@")[0]
            if local not in index:
                index[local] = len(words)
                words.append(local)
            of_word[code] = index[local]
    return Coded(np.take(of_word, other.codes), words)


def _mailboxes(local: Coded, letters: Sequence[str], names: Names) -> Bits:
    found = np.take(spelling.hashes([word or None for word in letters]), local.codes)
    found[names.given > 0] = 0
    return found
