"""What a family under one roof would explain: another name that people bear, a generation.

No evidence for the score, which names and dates themselves give; it tells a slip in one person's
values from those of her family (`matching.automatic`).
"""

from collections.abc import Mapping

import numpy as np

from matching.levels import BirthDate, FamilyName, GivenName, Kinship, Sex
from matching.linkage.columns import Ids, Levels
from matching.linkage.date_levels import years_apart
from matching.linkage.sides import Sides

YOUNGEST_PARENT, OLDEST_PARENT = 15, 45
"""Years between the births of a parent and a child, nearly always."""


def compare_kinship(sides: Sides, levels: Mapping[str, Levels]) -> Levels:
    """Return how two records could be of two people of one family.

    Args:
        sides: the records.
        levels: of their names, birth dates and sexes, as far as they are compared.
    """
    found = np.zeros(len(sides.left), np.uint8)
    if "given_name" in levels:
        found[_of_two_names(sides, levels)] = Kinship.OTHER_NAME
    if "birth_date" in levels:
        born = levels["birth_date"]
        rows = np.flatnonzero((born == BirthDate.ONE_PART) | (born == BirthDate.CLOSE))
        one, other = (np.take(sides.encoded.births, s[rows]) for s in (sides.left, sides.right))
        gap = years_apart(one, other)
        of_parents = rows[(gap >= YOUNGEST_PARENT) & (gap <= OLDEST_PARENT)]
        found[of_parents] += np.uint8(Kinship.GENERATION)
    return found


def _of_two_names(sides: Sides, levels: Mapping[str, Levels]) -> Ids:
    """Return the pairs with two near given names that people bear both.

    Simon and Simone are such names; Simon and Simonn are not, nor are Simon and Simone who are
    both called Monsieur.
    """
    names, bands = sides.encoded.names, sides.encoded.bands["given_name"]
    given = levels["given_name"]
    are_near = (given == GivenName.ONE_EDIT) | (given == GivenName.TWO_EDITS)
    if "family_name" in levels:  # Names that changed places are compared across.
        are_near &= levels["family_name"] != FamilyName.SWAPPED
    rows = np.flatnonzero(are_near)
    one, other = (np.take(names.given, side[rows]) for side in (sides.left, sides.right))
    sexes = np.take(names.sexes, one), np.take(names.sexes, other)
    are_names = np.ones(len(rows), np.bool_)
    for sex, side in zip(sexes, (sides.left, sides.right), strict=True):
        are_names &= (sex > 0) | (np.take(bands, side[rows]) == GivenName.SAME_COMMON)
    if "sex" in levels:
        is_slip = (sexes[0] & sexes[1] == 0) & (np.take(levels["sex"], rows) == Sex.SAME)
        are_names &= ~(is_slip & (sexes[0] > 0) & (sexes[1] > 0))
    return rows[are_names]
