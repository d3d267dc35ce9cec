"""The parts a blocking key is made of, and the lasting 64-bit key of each record under a rule.

A key depends on the rule and the folded values only, not on the file: a new record finds its
candidates among stored keys, and workers that share the keys out by their value agree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from operator import itemgetter
from zlib import crc32

import numpy as np

from matching.linkage import folding, spelling
from matching.linkage.coded import Coded, Words
from matching.linkage.columns import Bits, Ids
from matching.linkage.encoding import Encoded
from mdm.standardise.phonetic import phonetic_code

Records = slice | Ids
"""Some of the records, by position."""

Part = Callable[[Encoded, Records], tuple[Bits, ...]]
"""Gives a part of a key per record, 0 for none: one array for each value it may have."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_AT_ONCE = 1 << 15

_CROSSING, _WAYS_OF_CROSSING = "name_in_email", 3
"""The part of two sides, mailboxes and names; and in how many ways it is built."""


@dataclass(frozen=True)
class Rule:
    """Parts of values that two records must share to be compared."""

    parts: tuple[str, ...]
    budget: float = 25.0
    """Pairs per record above which the rule is left out: broad rules suit small files only."""

    @property
    def name(self) -> str:
        """The rule as a key: `family_name+postcode`."""
        return "+".join(self.parts)


def record_keys(encoded: Encoded, rule: Rule, records: Records = slice(None)) -> list[Bits]:
    """Return the keys of each record, 0 for none: one array for each way to build the key.

    A record with two phones has two keys under a rule that asks for a phone. The first keys are
    those of the side that meets the others only (see `one_sided`).
    """
    choices = [PARTS[part](encoded, records) for part in rule.parts]
    ways = list(product(*(range(len(choice)) for choice in choices)))
    if _CROSSING in rule.parts:
        ways.sort(key=itemgetter(rule.parts.index(_CROSSING)))
    return [
        _key(rule, [choice[way] for choice, way in zip(choices, one, strict=True)]) for one in ways
    ]


def one_sided(rule: Rule, ways: int) -> int:
    """Return how many of a rule's ways meet only the others; 0 where all meet one another.

    A mailbox that spells a name is looked for among names: names that are equal, and mailboxes,
    have rules of their own, and are a hundred times as many.
    """
    return ways // _WAYS_OF_CROSSING if _CROSSING in rule.parts else 0


def _key(rule: Rule, parts: Sequence[Bits]) -> Bits:
    """Return the parts as one key, some thousand records at a time: they stay in the cache."""
    key, name = np.empty(len(parts[0]), np.uint64), np.uint64(crc32(rule.name.encode()))
    for start in range(0, len(key), _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        mixed = parts[0][here].copy()
        is_complete = mixed != 0
        for part in parts[1:]:
            mixed *= _MIX
            mixed += part[here]
            is_complete &= part[here] != 0
        mixed ^= name
        mixed *= _MIX
        mixed ^= mixed >> np.uint64(29)
        np.multiply(mixed, is_complete, out=key[here])
    return key


def _hashed(
    encoded: Encoded, part: str, words: Words, function: Callable[[str], str] | None = None
) -> Bits:
    """Return the hash of (a function of) each distinct word, worked out once per file."""
    found = encoded.part_hashes.get(part)
    if found is None:
        cut = [function(word) if word else None for word in words] if function else words
        found = encoded.part_hashes[part] = spelling.hashes(cut)
    return found


def _text(name: str) -> Part:
    return lambda encoded, records: (_of_coded(encoded.texts[name], records),)


def _several(attribute: str) -> Part:
    """Return the part of an attribute of which a record may have several values."""
    return lambda encoded, records: tuple(
        _of_coded(coded, records) for coded in getattr(encoded, attribute)
    )


def _of_coded(coded: Coded, records: Records) -> Bits:
    return np.take(coded.hashes, coded.codes[records])


def _organisation_start(encoded: Encoded, records: Records) -> tuple[Bits, ...]:
    organisation = encoded.texts["organisation"]
    hashes = _hashed(encoded, "organisation_start", organisation.words, _start)
    return (np.take(hashes, organisation.codes[records]),)


def _start(name: str) -> str:
    """Return the first word of a name and the first letters of the second one."""
    first, _, rest = name.partition(" ")
    return f"{first} {rest[:3]}"


def _given(part: str, function: Callable[[str], str] | None = None) -> Part:
    def parts(encoded: Encoded, records: Records) -> tuple[Bits, ...]:
        names = encoded.names
        return (np.take(_name_hashes(encoded, part, function), names.written[0][records]),)

    return parts


def _family(part: str, function: Callable[[str], str] | None = None) -> Part:
    """Return a part of the family name and, where somebody has one, of the birth name."""

    def parts(encoded: Encoded, records: Records) -> tuple[Bits, ...]:
        hashes = _name_hashes(encoded, part, function)
        return tuple(np.take(hashes, codes[records]) for codes in encoded.names.written_families)

    return parts


def _name_hashes(encoded: Encoded, part: str, function: Callable[[str], str] | None) -> Bits:
    names = encoded.names
    return _hashed(encoded, part, names.words, function) if function else names.hashes


def _full_name(encoded: Encoded, records: Records) -> tuple[Bits, ...]:
    """Return a key that is the same for both orders of a given and a family name."""
    names = encoded.names
    given = np.take(names.hashes, names.written[0][records])
    families = [np.take(names.hashes, codes[records]) for codes in names.written_families]
    return tuple(
        np.where((given != 0) & (family != 0), given + family, np.uint64(0)) for family in families
    )


def _mailbox(part: str, function: Callable[[str], str]) -> Part:
    """Return a part of the first e-mail's mailbox with the host: what a slip elsewhere leaves."""

    def cut(email: str) -> str:
        local, _, host = email.rpartition("@")
        return f"{function(local)}@{host}"

    def parts(encoded: Encoded, records: Records) -> tuple[Bits, ...]:
        emails = encoded.emails[0]
        return (np.take(_hashed(encoded, part, emails.words, cut), emails.codes[records]),)

    return parts


def _sound_of_mailbox(local: str) -> str:
    """Return the consonants of a mailbox, its digits beside them: most slips leave both."""
    return folding.consonants("".join(filter(str.isalpha, local))) + "".join(
        filter(str.isdigit, local)
    )


def _name_in_email(encoded: Encoded, records: Records) -> tuple[Bits, ...]:
    """Return the letters of a mailbox without a name beside it, and the full name in one word."""
    return tuple(one[records] for one in (encoded.mailboxes, *encoded.names.spelt))


def _date_part(mask: int) -> Part:
    """Return the digits of a birth date under a mask; none where any part asked for is missing."""

    def parts(encoded: Encoded, records: Records) -> tuple[Bits, ...]:
        found = encoded.births[records] & np.uint64(mask)
        for one in (0xFFFF0000, 0xFF00, 0xFF):
            if mask & one:
                found[(found & np.uint64(one)) == 0] = 0
        return (found * _MIX,)

    return parts


PARTS: Mapping[str, Part] = {
    "identifier": _text("identifier"),
    "registration": _text("registration"),
    "organisation": _text("organisation"),
    "website": _text("website"),
    "organisation_start": _organisation_start,
    "birth_place": _text("birth_place"),
    "occupation": _text("occupation"),
    "email": _several("emails"),
    "email_name": _several("local_parts"),
    "email_start": _mailbox("email_start", lambda local: local[:5]),
    "email_end": _mailbox("email_end", lambda local: local[-5:]),
    "email_sound": _mailbox("email_sound", _sound_of_mailbox),
    "email_ends": _mailbox("email_ends", lambda local: local[:4] + " " + local[-4:]),
    "name_in_email": _name_in_email,
    "phone": _several("phones"),
    "given_name": _given("given_name"),
    "given_initial": _given("given_initial", lambda name: name[:1]),
    "given_start": _given("given_start", lambda name: name[:3]),
    "given_sound": _given("sound", folding.sound),
    "given_french": _given("french", phonetic_code),
    "family_name": _family("family_name"),
    "family_start": _family("family_start", lambda name: name[:4]),
    "family_sound": _family("sound", folding.sound),
    "family_french": _family("french", phonetic_code),
    "full_name": _full_name,
    "birth_date": lambda encoded, records: (_of_coded(encoded.birth_date, records),),
    "birth_year": _date_part(0xFFFF0000),
    "birth_month": _date_part(0xFFFFFF00),
    "birth_day": _date_part(0xFFFF),
    "street": _text("street"),
    "street_number": _text("street_number"),
    "postcode": _text("postcode"),
    "city": _text("city"),
}
"""Part of a key -> its hash per record, 0 for none, one array for each value it may have."""

NAMES = ("given_name", "family_name")
MADE_OF_NAMES = frozenset(
    ("email_name", "email_start", "email_end", "email_sound", "email_ends", "name_in_email")
)
"""Parts of mailboxes: who share one have names that are alike."""

PART_FIELDS: Mapping[str, tuple[str, ...]] = {
    "identifier": ("identifier",),
    "registration": ("registration",),
    "organisation": ("organisation",),
    "website": ("website",),
    "organisation_start": ("organisation",),
    "birth_place": ("birth_place",),
    "occupation": ("occupation",),
    "email": ("email",),
    "email_name": ("email",),
    "email_start": ("email",),
    "email_end": ("email",),
    "email_sound": ("email",),
    "email_ends": ("email",),
    "name_in_email": ("given_name", "family_name"),
    "phone": ("phone",),
    "given_name": ("given_name",),
    "given_initial": ("given_name",),
    "given_start": ("given_name",),
    "given_sound": ("given_name",),
    "given_french": ("given_name",),
    "family_name": ("family_name",),
    "family_start": ("family_name",),
    "family_sound": ("family_name",),
    "family_french": ("family_name",),
    "full_name": ("given_name", "family_name"),
    "birth_date": ("birth_date",),
    "birth_year": ("birth_date",),
    "birth_month": ("birth_date",),
    "birth_day": ("birth_date",),
    "street": ("address",),
    "street_number": ("address",),
    "postcode": ("address",),
    "city": ("address",),
}
"""The compared fields that a part of a key speaks about."""
