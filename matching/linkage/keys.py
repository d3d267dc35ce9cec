"""The parts a blocking key is made of, and the lasting 64-bit key of each record under a rule.

A key depends on the rule and the folded values only, not on the file: a new record finds its
candidates among stored keys, and workers that share the keys out by their value agree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from zlib import crc32

import numpy as np

from matching.linkage import folding, spelling
from matching.linkage.columns import Bits
from matching.linkage.encoding import Coded, Encoded

Part = Callable[[Encoded], tuple[Bits, ...]]
"""Gives a part of a key per record, 0 for none: one array for each value it may have."""

_MIX = np.uint64(0x9E3779B97F4A7C15)


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


def record_keys(encoded: Encoded, rule: Rule) -> list[Bits]:
    """Return the keys of each record, 0 for none: one array for each way to build the key.

    A record with two phones has two keys under a rule that asks for a phone.
    """
    choices = [PARTS[part](encoded) for part in rule.parts]
    return [_key(rule, parts) for parts in product(*choices)]


def _key(rule: Rule, parts: Sequence[Bits]) -> Bits:
    key = parts[0].copy()
    is_complete = key != 0
    for part in parts[1:]:
        key *= _MIX
        key += part
        is_complete &= part != 0
    key ^= np.uint64(crc32(rule.name.encode()))
    key *= _MIX
    key ^= key >> np.uint64(29)
    key[~is_complete] = 0
    return key


def _text(name: str) -> Part:
    return lambda encoded: (_of_coded(encoded.texts[name]),)


def _organisation_start(organisation: Coded) -> Bits:
    """Return the first word of a name and the first letters of the second one."""
    starts = [_start(word) if word else None for word in organisation.words]
    return np.take(spelling.hashes(starts), organisation.codes)


def _start(name: str) -> str:
    first, _, rest = name.partition(" ")
    return f"{first} {rest[:3]}"


def _of_coded(coded: Coded) -> Bits:
    return np.take(coded.hashes, coded.codes)


def _name(which: str, function: Callable[[str], str] | None = None) -> Part:
    def parts(encoded: Encoded) -> tuple[Bits, ...]:
        names = encoded.names
        hashes = names.hashes_of(function) if function else names.hashes
        codes = [names.given] if which == "given" else [names.family, names.birth]
        return tuple(np.take(hashes, one) for one in codes if one is codes[0] or one.any())

    return parts


def _full_name(encoded: Encoded) -> tuple[Bits, ...]:
    """Return a key that is the same for both orders of a given and a family name."""
    names = encoded.names
    given = np.take(names.hashes, names.given)
    families = [np.take(names.hashes, codes) for codes in (names.family, names.birth)]
    return tuple(
        np.where((given != 0) & (family != 0), given + family, np.uint64(0))
        for family in (families if names.birth.any() else families[:1])
    )


def _mailbox(function: Callable[[str], str]) -> Part:
    """Return a part of the first e-mail's mailbox with the host: what a slip elsewhere leaves."""

    def parts(encoded: Encoded) -> tuple[Bits, ...]:
        emails = encoded.emails[0]
        cut = [_cut(word, function) if word else None for word in emails.words]
        return (np.take(spelling.hashes(cut), emails.codes),)

    return parts


def _cut(email: str, function: Callable[[str], str]) -> str:
    local, _, host = email.rpartition("@")
    return f"{function(local)}@{host}"


def _name_in_email(encoded: Encoded) -> tuple[Bits, ...]:
    """Return the letters of a mailbox without a name beside it, or the full name in one word."""
    forth, back = encoded.names.spelt
    return encoded.mailboxes, forth, back


def _date_part(mask: int) -> Part:
    """Return the digits of a birth date under a mask; none where any part asked for is missing."""

    def parts(encoded: Encoded) -> tuple[Bits, ...]:
        found = encoded.births & np.uint64(mask)
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
    "organisation_start": lambda encoded: (_organisation_start(encoded.texts["organisation"]),),
    "birth_place": _text("birth_place"),
    "occupation": _text("occupation"),
    "email": lambda encoded: tuple(map(_of_coded, encoded.emails)),
    "email_name": lambda encoded: tuple(map(_of_coded, encoded.local_parts)),
    "email_start": _mailbox(lambda local: local[:5]),
    "email_end": _mailbox(lambda local: local[-5:]),
    "name_in_email": _name_in_email,
    "phone": lambda encoded: tuple(map(_of_coded, encoded.phones)),
    "given_name": _name("given"),
    "given_initial": _name("given", lambda name: name[:1]),
    "given_start": _name("given", lambda name: name[:3]),
    "given_sound": _name("given", folding.sound),
    "family_name": _name("family"),
    "family_start": _name("family", lambda name: name[:4]),
    "family_sound": _name("family", folding.sound),
    "full_name": _full_name,
    "birth_date": lambda encoded: (_of_coded(encoded.birth_date),),
    "birth_year": _date_part(0xFFFF0000),
    "birth_month": _date_part(0xFFFFFF00),
    "birth_day": _date_part(0xFFFF),
    "street": _text("street"),
    "street_number": _text("street_number"),
    "postcode": _text("postcode"),
    "city": _text("city"),
}
"""Part of a key -> its hash per record, 0 for none, one array for each value it may have."""

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
    "name_in_email": ("email",),
    "phone": ("phone",),
    "given_name": ("given_name",),
    "given_initial": ("given_name",),
    "given_start": ("given_name",),
    "given_sound": ("given_name",),
    "family_name": ("family_name",),
    "family_start": ("family_name",),
    "family_sound": ("family_name",),
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
