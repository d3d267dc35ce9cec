"""The levels of given and family names: short forms, parts, swapped names, names in mailboxes."""

import numpy as np

from matching.levels import FamilyName, GivenName
from matching.linkage.closeness import distances
from matching.linkage.columns import Codes, Flags, Ids, Levels
from matching.linkage.encoding import Encoded
from matching.linkage.sides import APART, SAME, Sides


def compare_names(sides: Sides) -> dict[str, Levels]:
    """Return the levels of the given and the family name; they may stand in each other's place."""
    levels = {"given_name": _given_levels(sides), "family_name": _family_levels(sides)}
    _apply_swaps(sides, levels)
    for rows, others in sides.spelt_in_mailboxes:
        for field, found in levels.items():
            found[rows] = np.take(sides.encoded.bands[field], others)
    return levels


def _apply_swaps(sides: Sides, levels: dict[str, Levels]) -> None:
    """Take names as equal or near where they are so in each other's place."""
    encoded, left, right = sides.encoded, sides.left, sides.right
    rows = np.flatnonzero(
        (sides.agreement("given_name") != SAME) & (sides.agreement("family_name") != SAME)
    )
    given, family = (
        (np.take(codes, left[rows]), np.take(codes, right[rows]))
        for codes in (encoded.names.given, encoded.names.family)
    )
    forth = (given[0] == family[1]) & (given[0] > 0)
    back = (family[0] == given[1]) & (family[0] > 0)
    both = rows[forth & back]
    # The given name tells how rare the names are, the family name that they were swapped.
    levels["given_name"][both] = np.take(encoded.bands["given_name"], left[both])
    levels["family_name"][both] = FamilyName.SWAPPED
    for half, one, other in (
        (forth & ~back, family[0], given[1]),
        (back & ~forth, given[0], family[1]),
    ):
        _apply_half_swap(encoded, levels, rows[half], one[half], other[half])


def _apply_half_swap(
    encoded: Encoded, levels: dict[str, Levels], rows: Ids, one: Codes, other: Codes
) -> None:
    """Take names as swapped when one is equal across and the other near or missing."""
    is_missing = (one == 0) | (other == 0)
    levels["given_name"][rows[is_missing]] = GivenName.UNKNOWN
    levels["family_name"][rows[is_missing]] = FamilyName.SWAPPED
    rows, one, other = rows[~is_missing], one[~is_missing], other[~is_missing]
    across = distances(encoded.names, one, other, 2)
    levels["given_name"][rows[across == 1]] = GivenName.ONE_EDIT
    levels["given_name"][rows[across == 2]] = GivenName.TWO_EDITS
    levels["family_name"][rows[across <= 2]] = FamilyName.SWAPPED


def _given_levels(sides: Sides) -> Levels:
    encoded = sides.encoded
    levels, rows, one, other = _by_band(sides, "given_name", encoded.names.given)
    found = _edit_levels(encoded, "given_name", one, other, GivenName)
    found[_is_short_form(encoded, one, other)] = GivenName.SHORT_FORM
    levels[rows] = found
    return levels


def _by_band(sides: Sides, field: str, codes: Codes) -> tuple[Levels, Ids, Codes, Codes]:
    """Return the levels of equal names; the rows of unequal ones, and those names."""
    is_same = sides.agreement(field) == SAME
    levels = np.take(sides.encoded.bands[field], sides.left) * is_same
    rows = sides.rows(field, APART)
    return levels, rows, np.take(codes, sides.left[rows]), np.take(codes, sides.right[rows])


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


def _family_levels(sides: Sides) -> Levels:
    encoded = sides.encoded
    levels, rows, one, other = _by_band(sides, "family_name", encoded.names.family)
    found = _edit_levels(encoded, "family_name", one, other, FamilyName)
    births = (np.take(encoded.names.birth, side[rows]) for side in (sides.left, sides.right))
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
    encoded: Encoded,
    field: str,
    one: Codes,
    other: Codes,
    levels: type[GivenName] | type[FamilyName],
) -> Levels:
    names, borne = encoded.names, encoded.borne[field]
    edits = distances(names, one, other, 2)
    found = np.full(len(one), levels.DIFFERS, np.uint8)
    found[edits == 1] = levels.ONE_EDIT
    # Many bear either name: that they are near is no slip.
    rows = np.flatnonzero(edits == 1)
    are_two = np.take(borne, one[rows]) & np.take(borne, other[rows])
    found[rows[are_two]] = levels.TWO_EDITS
    rows = np.flatnonzero(edits == 2)
    # Two edits in a name of three letters leave nothing of it.
    shorter = np.minimum(np.take(names.length, one[rows]), np.take(names.length, other[rows]))
    found[rows[shorter > 3]] = levels.TWO_EDITS
    return found
