"""From a pair of records to the level of each field, many pairs at a time.

Each function takes the encoded records and two arrays of record positions, and returns one level
per pair (see `matching.levels`). Unequal words pass the signature filter before rapidfuzz sees
them: it removes nine of ten without losing a close one.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching.levels import (
    LEVELS,
    BirthDate,
    Email,
    FamilyName,
    GivenName,
    Identifier,
    Organisation,
    Phone,
    Sex,
    Street,
    Town,
)
from matching.linkage.columns import Bits, Codes, Flags, Ids, Levels, Objects
from matching.linkage.encoding import SHARED_BY, Coded, Encoded

FAR = 99
"""Distance of two words that are further apart than asked for."""

_NIBBLES = np.uint64(0x1111111111111111)


def patterns(encoded: Encoded, left: Codes, right: Codes) -> Ids:
    """Return one number per pair that holds the level of every present field."""
    pattern = np.zeros(len(left), np.int64)
    weight = 1
    for field, levels in compare(encoded, left, right).items():
        pattern += levels.astype(np.int64) * weight
        weight *= len(LEVELS[field])
    return pattern


def compare(encoded: Encoded, left: Codes, right: Codes) -> dict[str, Levels]:
    """Return the levels of each present field, in pattern order."""
    given, family = compare_names(encoded, left, right)
    levels = {"given_name": given, "family_name": family}
    return {
        field: levels[field] if field in levels else _COMPARISONS[field](encoded, left, right)
        for field in encoded.fields
    }


def distances(
    words: Objects, bits: Bits, left: Codes, right: Codes, wanted: Flags, limit: int
) -> Levels:
    """Return edit distances (a swap of neighbours is one edit) up to a limit, else `FAR`.

    Args:
        words: the distinct words.
        bits: their signatures.
        left: word code of one side, per pair.
        right: word code of the other.
        wanted: which pairs to look at; the others get `FAR`.
        limit: greatest distance of interest.
    """
    result = np.full(len(left), FAR, np.uint8)
    rows = np.flatnonzero(wanted)
    rows = rows[np.bitwise_count(bits[left[rows]] ^ bits[right[rows]]) <= 2 * limit]
    if len(rows):
        found = process.cpdist(
            words[left[rows]].tolist(),
            words[right[rows]].tolist(),
            scorer=OSA.distance,
            score_cutoff=limit,
            dtype=np.uint8,
        )
        result[rows] = np.where(found <= limit, found, FAR)
    return result


def compare_names(encoded: Encoded, left: Codes, right: Codes) -> tuple[Levels, Levels]:
    """Return the levels of the given and the family name; they may stand in each other's place."""
    names = encoded.names
    given = _given_levels(encoded, left, right)
    family = _family_levels(encoded, left, right)
    given_left, given_right = names.given[left], names.given[right]
    family_left, family_right = names.family[left], names.family[right]
    forth = (given_left == family_right) & (given_left > 0)
    back = (family_left == given_right) & (family_left > 0)
    apart = (given_left != given_right) & (family_left != family_right)
    _apply_swap(given, family, forth & back & apart, encoded.given_bands[left])
    for crossed, one, other in (
        (forth & ~back, family_left, given_right),
        (back & ~forth, given_left, family_right),
    ):
        _apply_half_swap(encoded, given, family, crossed & apart, one, other)
    return given, family


def _apply_swap(given: Levels, family: Levels, swapped: Flags, bands: Levels) -> None:
    """Judge swapped names by the frequency of the name; the family name says they were swapped."""
    given[swapped] = bands[swapped]
    family[swapped] = FamilyName.SWAPPED


def _apply_half_swap(
    encoded: Encoded, given: Levels, family: Levels, crossed: Flags, one: Codes, other: Codes
) -> None:
    """Take names as swapped when one is equal across and the other near or missing."""
    names = encoded.names
    either_missing = (one == 0) | (other == 0)
    across = distances(names.words, names.signatures, one, other, crossed & ~either_missing, 2)
    is_missing = crossed & either_missing
    given[is_missing] = GivenName.UNKNOWN
    given[crossed & (across == 1)] = GivenName.ONE_EDIT
    given[crossed & (across == 2)] = GivenName.TWO_EDITS
    family[is_missing | (crossed & (across <= 2))] = FamilyName.SWAPPED


def _given_levels(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    names = encoded.names
    one, other = names.given[left], names.given[right]
    both, same = (one > 0) & (other > 0), one == other
    levels = np.where(same, encoded.given_bands[left], np.uint8(GivenName.DIFFERS))
    levels[~both] = GivenName.UNKNOWN
    apart = both & ~same
    _apply_edits(encoded, levels, one, other, apart, GivenName.ONE_EDIT, GivenName.TWO_EDITS)
    rows = np.flatnonzero(apart)
    levels[rows[_is_short_form(encoded, one[rows], other[rows])]] = GivenName.SHORT_FORM
    return levels


def _is_short_form(encoded: Encoded, one: Codes, other: Codes) -> Flags:
    """Return which unequal names may be one: nickname, part, initials or initial."""
    names = encoded.names
    is_initial = (names.length[one] == 1) | (names.length[other] == 1)
    return np.asarray(
        _shares_part(encoded, one, other)
        | (names.initials[one] == other)
        | (names.initials[other] == one)
        | (is_initial & (names.initial[one] == names.initial[other]))
        | names.are_related(one, other)
    )


def _shares_part(encoded: Encoded, one: Codes, other: Codes) -> Flags:
    """Return which names contain the other one as their first or last word."""
    parts = encoded.names.first_part, encoded.names.last_part
    found = [(part[one] == other) | (part[other] == one) for part in parts]
    return np.asarray(found[0] | found[1])


def _family_levels(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    names = encoded.names
    one, other = names.family[left], names.family[right]
    both, same = (one > 0) & (other > 0), one == other
    levels = np.where(same, encoded.family_bands[left], np.uint8(FamilyName.DIFFERS))
    levels[~both] = FamilyName.UNKNOWN
    apart = both & ~same
    _apply_edits(encoded, levels, one, other, apart, FamilyName.ONE_EDIT, FamilyName.TWO_EDITS)
    rows = np.flatnonzero(apart)
    births = names.birth[left[rows]], names.birth[right[rows]]
    alternate = (
        (one[rows] == births[1])
        | (births[0] == other[rows])
        | ((births[0] == births[1]) & (births[0] > 0))
        | _shares_part(encoded, one[rows], other[rows])
    )
    levels[rows[alternate]] = FamilyName.OTHER_NAME
    return levels


def _apply_edits(
    encoded: Encoded, levels: Levels, one: Codes, other: Codes, apart: Flags, near: int, close: int
) -> None:
    names = encoded.names
    found = distances(names.words, names.signatures, one, other, apart, 2)
    # Two edits in a name of three letters leave nothing of it.
    short = np.minimum(names.length[one], names.length[other]) <= 3
    levels[found == 1] = near
    levels[(found == 2) & ~short] = close


def compare_addresses(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    """Return street and town as one level."""
    street = _street_levels(encoded, left, right)
    return np.asarray(street * np.uint8(len(Town)) + _town_levels(encoded, left, right), np.uint8)


def _street_levels(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    streets = encoded.street
    one, other = streets.codes[left], streets.codes[right]
    both, same = (one > 0) & (other > 0), one == other
    near = distances(streets.words, streets.signatures, one, other, both & ~same, 2) <= 2
    same_number = encoded.number.codes[left] == encoded.number.codes[right]
    levels = np.full(len(left), Street.DIFFERS, np.uint8)
    levels[same | near] = Street.OTHER_NUMBER
    levels[near & same_number] = Street.NEAR
    levels[same & same_number] = Street.SAME
    levels[~both] = Street.UNKNOWN
    return levels


def _town_levels(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    agree, conflict = np.zeros(len(left), np.bool_), np.zeros(len(left), np.bool_)
    for coded in (encoded.postcode, encoded.city):
        one, other = coded.codes[left], coded.codes[right]
        both, same = (one > 0) & (other > 0), one == other
        near = distances(coded.words, coded.signatures, one, other, both & ~same, 1) <= 1
        agree |= both & same
        conflict |= both & ~same & ~near
    levels = np.full(len(left), Town.UNKNOWN, np.uint8)
    levels[conflict] = Town.DIFFERS
    levels[agree] = Town.SAME
    levels[agree & conflict] = Town.PARTLY
    return levels


def compare_phones(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    """Return the level of the best of the phone pairs."""
    digits, shared = encoded.phones[0].packed_digits, encoded.phone_counts > SHARED_BY
    same, near, widely = (np.zeros(len(left), np.bool_) for _ in range(3))
    for mine, other in product(encoded.phones, repeat=2):
        one, two = mine.codes[left], other.codes[right]
        equal = (one == two) & (one > 0)
        same |= equal
        widely |= equal & shared[one]
        near |= (one > 0) & (two > 0) & _one_digit_apart(digits[one], digits[two])
    known = (encoded.phones[0].codes[left] > 0) & (encoded.phones[0].codes[right] > 0)
    levels = np.where(known, np.uint8(Phone.DIFFERS), np.uint8(Phone.UNKNOWN))
    levels[near] = Phone.ONE_DIGIT
    levels[same] = Phone.SAME
    levels[widely] = Phone.SAME_SHARED
    return levels


def _one_digit_apart(one: Bits, other: Bits) -> Flags:
    """Return which numbers differ in one digit, or in two neighbours that changed places."""
    changed = _changed_digits(one, other)
    count = np.bitwise_count(changed)
    neighbours = (changed & (changed >> np.uint64(4))) != 0
    return np.asarray((count == 1) | ((count == 2) & neighbours & _same_digits(one, other)))


def _changed_digits(one: Bits, other: Bits) -> Bits:
    """Return one bit per digit that differs, at the lowest bit of the digit's four."""
    change = one ^ other
    for shift in (2, 1):
        change |= change >> np.uint64(shift)
    return np.asarray(change & _NIBBLES, np.uint64)


def _same_digits(one: Bits, other: Bits) -> Flags:
    """Return which numbers have the same sum of digits, as after a swap."""
    total = np.zeros(len(one), np.int64)
    for shift in range(0, 64, 4):
        mine, theirs = (n >> np.uint64(shift) & np.uint64(15) for n in (one, other))
        total += mine.astype(np.int64) - theirs.astype(np.int64)
    return np.asarray(total == 0)


def compare_emails(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    """Return the level of two e-mail addresses."""
    emails, locals_ = encoded.email, encoded.local_part
    one, other = emails.codes[left], emails.codes[right]
    both, same = (one > 0) & (other > 0), one == other
    levels = np.where(both, np.uint8(Email.DIFFERS), np.uint8(Email.UNKNOWN))
    apart = both & ~same
    near = distances(emails.words, emails.signatures, one, other, apart, 2) <= 2
    local_one, local_other = locals_.codes[left], locals_.codes[right]
    within = distances(locals_.words, locals_.signatures, local_one, local_other, apart, 2) <= 2
    levels[near | within] = Email.NEAR
    levels[apart & (local_one == local_other)] = Email.SAME_LOCAL_PART
    levels[both & same] = Email.SAME
    levels[both & same & _names_a_person(encoded, left, right)] = Email.SAME_NAMED
    levels[both & same & (emails.counts[one] > SHARED_BY)] = Email.SAME_SHARED
    return levels


def _names_a_person(encoded: Encoded, left: Codes, right: Codes) -> Flags:
    """Return which pairs have one given name only, and it is in the e-mail beside it."""
    has_name = encoded.names.given > 0
    one, other = has_name[left], has_name[right]
    named = encoded.email_names_owner
    return np.asarray((one & ~other & named[left]) | (other & ~one & named[right]))


def compare_birth_dates(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    """Return the level of two birth dates."""
    dates = encoded.birth_date
    one, other = dates.codes[left], dates.codes[right]
    both, same = (one > 0) & (other > 0), one == other
    levels = np.where(both, np.uint8(BirthDate.DIFFERS), np.uint8(BirthDate.UNKNOWN))
    levels[both & same] = BirthDate.SAME
    rows = np.flatnonzero(both & ~same)
    if len(rows):
        close = distances(
            dates.words, dates.signatures, one[rows], other[rows], np.ones(len(rows), np.bool_), 2
        )
        levels[rows] = _unequal_dates(encoded, left[rows], right[rows], close <= 2)
    return levels


def _unequal_dates(encoded: Encoded, left: Codes, right: Codes, close: Flags) -> Levels:
    years, months, days = encoded.birth_parts
    year, month, day = (part[left] == part[right] for part in (years, months, days))
    dates = encoded.birth_date
    one, other = (dates.packed_digits[dates.codes[side]] for side in (left, right))
    changed = _changed_digits(one, other)
    transposed = (np.bitwise_count(changed) == 2) & ((changed & (changed >> np.uint64(4))) != 0)
    swapped = year & (months[left] == days[right]) & (days[left] == months[right])
    first_of_year = np.zeros(len(left), np.bool_)
    for side in (left, right):
        first_of_year |= (months[side] == 1) & (days[side] == 1)
    decades = np.abs(years[left] - years[right])
    near_year = month & day & ((decades <= 10) | (decades % 10 == 0))
    levels = np.full(len(left), BirthDate.DIFFERS, np.uint8)
    levels[year] = BirthDate.SAME_YEAR
    levels[close] = BirthDate.CLOSE
    levels[(year & (month | day)) | near_year] = BirthDate.ONE_PART
    rearranged = transposed & _same_digits(one, other)
    levels[swapped | rearranged | (year & first_of_year)] = BirthDate.REARRANGED
    return levels


def compare_identifiers(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    """Return the level of two identifiers."""
    return _word_levels(encoded.identifier, left, right, limit=1, levels=Identifier)


def compare_organisations(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    """Return the level of two organisations."""
    return _word_levels(encoded.organisation, left, right, limit=2, levels=Organisation)


def _word_levels(
    coded: Coded,
    left: Codes,
    right: Codes,
    *,
    limit: int,
    levels: type[Identifier] | type[Organisation],
) -> Levels:
    one, other = coded.codes[left], coded.codes[right]
    both, same = (one > 0) & (other > 0), one == other
    found = np.where(both, np.uint8(levels.DIFFERS), np.uint8(levels.UNKNOWN))
    near = distances(coded.words, coded.signatures, one, other, both & ~same, limit) <= limit
    found[near] = levels.NEAR
    found[both & same] = levels.SAME
    return found


def compare_sexes(encoded: Encoded, left: Codes, right: Codes) -> Levels:
    """Return the level of two sexes."""
    one, other = encoded.sex.codes[left], encoded.sex.codes[right]
    levels = np.where(one == other, np.uint8(Sex.SAME), np.uint8(Sex.DIFFERS))
    levels[(one == 0) | (other == 0)] = Sex.UNKNOWN
    return levels


_COMPARISONS: dict[str, Callable[[Encoded, Codes, Codes], Levels]] = {
    "address": compare_addresses,
    "phone": compare_phones,
    "email": compare_emails,
    "birth_date": compare_birth_dates,
    "identifier": compare_identifiers,
    "organisation": compare_organisations,
    "sex": compare_sexes,
}
