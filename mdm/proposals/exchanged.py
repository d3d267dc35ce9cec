"""Whether given and family names stand in each other's column."""

from collections.abc import Sequence
from typing import NamedTuple

from mdm.standardise.fillers import is_filler
from mdm.standardise.given_names import is_given_name
from mdm.standardise.text import clean, fold

# Martin and Bernard are family names, too, as is many a given name in France; of given names from
# elsewhere our table knows few. So most must be known, and far more than in the other column.
_MOST = 0.6
_FAR_MORE = 2
_LEAST = 5


class Exchanged(NamedTuple):
    """How many of the values of either column are known given names."""

    given_names: int
    given_total: int
    family_names: int
    family_total: int


def exchanged(given: Sequence[str], family: Sequence[str]) -> Exchanged | None:
    """Return the counts that say so, when the column of family names is the one of given names.

    Args:
        given: the values of the column said to hold given names, without blanks.
        family: those of the column said to hold family names.
    """
    told = Exchanged(*_known(given), *_known(family))
    if min(told.given_total, told.family_total) < _LEAST:
        return None
    above = told.family_names / told.family_total
    below = told.given_names / told.given_total
    return told if above >= _MOST and above >= _FAR_MORE * below else None


def _known(values: Sequence[str]) -> tuple[int, int]:
    """Return how many values are known given names, and how many say anything."""
    said = [text for value in values if (text := clean(value)) and not is_filler(text)]
    return sum(is_given_name(fold(text)) for text in said), len(said)
