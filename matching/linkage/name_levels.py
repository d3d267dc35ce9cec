"""The levels of given and family names: short forms, parts, swapped names, names in mailboxes."""

import numpy as np

from matching.levels import FamilyName, GivenName
from matching.linkage.closeness import FAR, distances
from matching.linkage.columns import Codes, Flags, Ids, Levels
from matching.linkage.encoding import Encoded


def compare_names(encoded: Encoded, left: Codes, right: Codes) -> dict[str, Levels]:
    """Return the levels of the given and the family name; they may stand in each other's place."""
    names = encoded.names
    given = np.take(names.given, left), np.take(names.given, right)
    family = np.take(names.family, left), np.take(names.family, right)
    same_given, same_family = given[0] == given[1], family[0] == family[1]
    levels = {
        "given_name": _given_levels(encoded, left, given, same_given),
        "family_name": _family_levels(encoded, left, right, family, same_family),
    }
    apart = ~(same_given | same_family)
    forth = (given[0] == family[1]) & (given[0] > 0) & apart
    back = (family[0] == given[1]) & (family[0] > 0) & apart
    rows = np.flatnonzero(forth & back)
    # The given name tells how rare the names are, the family name that they were swapped.
    levels["given_name"][rows] = np.take(encoded.bands["given_name"], left[rows])
    levels["family_name"][rows] = FamilyName.SWAPPED
    _apply_half_swap(encoded, levels, np.flatnonzero(forth & ~back), family[0], given[1])
    _apply_half_swap(encoded, levels, np.flatnonzero(back & ~forth), given[0], family[1])
    for one, other in ((left, right), (right, left)):
        rows = spelt_in_mailbox(encoded, one, other)
        for field, found in levels.items():
            found[rows] = np.take(encoded.bands[field], other[rows])
    return levels


def _apply_half_swap(
    encoded: Encoded, levels: dict[str, Levels], rows: Ids, one: Codes, other: Codes
) -> None:
    """Take names as swapped when one is equal across and the other near or missing."""
    if not len(rows):
        return
    names = encoded.names
    one, other = one[rows], other[rows]
    across = distances(names.words, names.signatures, one, other, 2)
    is_missing = (one == 0) | (other == 0)
    across[is_missing] = FAR
    levels["given_name"][rows[is_missing]] = GivenName.UNKNOWN
    levels["given_name"][rows[across == 1]] = GivenName.ONE_EDIT
    levels["given_name"][rows[across == 2]] = GivenName.TWO_EDITS
    levels["family_name"][rows[is_missing | (across <= 2)]] = FamilyName.SWAPPED


def _given_levels(
    encoded: Encoded, left: Codes, given: tuple[Codes, Codes], same: Flags
) -> Levels:
    one, other = given
    levels = np.where(same, np.take(encoded.bands["given_name"], left), np.uint8(0))
    rows = np.flatnonzero(~same & (one > 0) & (other > 0))
    one, other = one[rows], other[rows]
    found = _edit_levels(encoded, one, other, GivenName)
    found[_is_short_form(encoded, one, other)] = GivenName.SHORT_FORM
    levels[rows] = found
    return levels


def _is_short_form(encoded: Encoded, one: Codes, other: Codes) -> Flags:
    """Return which unequal names may be one: nickname, part, initials or initial."""
    names = encoded.names
    is_initial = (np.take(names.length, one) == 1) | (np.take(names.length, other) == 1)
    return np.asarray(
        _shares_part(encoded, one, other)
        | (np.take(names.initials, one) == other)
        | (np.take(names.initials, other) == one)
        | (is_initial & (np.take(names.initial, one) == np.take(names.initial, other)))
        | names.are_related(one, other)
    )


def _shares_part(encoded: Encoded, one: Codes, other: Codes) -> Flags:
    """Return which names contain the other one as their first or last word."""
    found = np.zeros(len(one), np.bool_)
    for part in (encoded.names.first_part, encoded.names.last_part):
        found |= (np.take(part, one) == other) | (np.take(part, other) == one)
    return found


def _family_levels(
    encoded: Encoded, left: Codes, right: Codes, family: tuple[Codes, Codes], same: Flags
) -> Levels:
    one, other = family
    levels = np.where(same, np.take(encoded.bands["family_name"], left), np.uint8(0))
    rows = np.flatnonzero(~same & (one > 0) & (other > 0))
    one, other = one[rows], other[rows]
    found = _edit_levels(encoded, one, other, FamilyName)
    births = (np.take(encoded.names.birth, side[rows]) for side in (left, right))
    mine, theirs = births
    found[
        (one == theirs)
        | (mine == other)
        | ((mine == theirs) & (mine > 0))
        | _shares_part(encoded, one, other)
    ] = FamilyName.OTHER_NAME
    levels[rows] = found
    return levels


def _edit_levels(
    encoded: Encoded, one: Codes, other: Codes, levels: type[GivenName] | type[FamilyName]
) -> Levels:
    names = encoded.names
    edits = distances(names.words, names.signatures, one, other, 2)
    found = np.full(len(one), levels.DIFFERS, np.uint8)
    found[edits == 1] = levels.ONE_EDIT
    rows = np.flatnonzero(edits == 2)
    # Two edits in a name of three letters leave nothing of it.
    shorter = np.minimum(np.take(names.length, one[rows]), np.take(names.length, other[rows]))
    found[rows[shorter > 3]] = levels.TWO_EDITS
    return found


def spelt_in_mailbox(encoded: Encoded, one: Codes, other: Codes) -> Ids:
    """Return which pairs have an e-mail without a name, and the name it spells without e-mail."""
    mailbox = np.take(encoded.mailboxes, one)
    rows = np.flatnonzero(mailbox)
    rows = rows[np.take(encoded.emails[0].codes, other[rows]) == 0]
    spelt = (np.take(names, other[rows]) for names in encoded.names.spelt)
    found: Flags = np.any([mailbox[rows] == name for name in spelt], axis=0)
    return np.asarray(rows[found], np.int64)
