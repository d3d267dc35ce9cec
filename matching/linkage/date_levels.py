"""The levels of birth dates, all digits of a date at once."""

import numpy as np

from matching.levels import BirthDate
from matching.linkage.closeness import changed_digits, is_swap
from matching.linkage.columns import Bits, Ids, Levels
from matching.linkage.sides import MISSING, Sides


def compare_birth_dates(sides: Sides) -> Levels:
    """Return the level of two birth dates; a year alone is compared as a year.

    Two first days of a year are two years: they stand for days that nobody knew.
    """
    levels = np.zeros(len(sides.left), np.uint8)
    known = np.flatnonzero(sides.agreement("birth_date") != MISSING)
    one, other = (np.take(sides.encoded.births, side[known]) for side in (sides.left, sides.right))
    found = np.full(len(known), BirthDate.SAME, np.uint8)
    is_whole = (one & _DAY > 0) & (other & _DAY > 0)
    is_whole &= (one & _DAY_OF_YEAR != _FIRST_OF_YEAR) | (other & _DAY_OF_YEAR != _FIRST_OF_YEAR)
    rows = np.flatnonzero(is_whole & (one != other))
    found[rows] = _unequal_dates(one[rows], other[rows])
    rows = np.flatnonzero(~is_whole)
    found[rows] = _years_alone(one[rows], other[rows])
    levels[known] = found
    return levels


_YEAR, _MONTH, _DAY = np.uint64(0xFFFF0000), np.uint64(0xFF00), np.uint64(0xFF)
_DAY_OF_YEAR, _FIRST_OF_YEAR = np.uint64(0xFFFF), np.uint64(0x0101)


def _unequal_dates(one: Bits, other: Bits) -> Levels:
    change = one ^ other
    changed = changed_digits(one, other)
    count = np.bitwise_count(changed)
    year, month, day = (change & part == 0 for part in (_YEAR, _MONTH, _DAY))
    levels = np.full(len(one), BirthDate.DIFFERS, np.uint8)
    gap = years_apart(one, other)
    levels[(gap <= 2) & ~year] = BirthDate.NEAR_YEAR
    levels[year] = BirthDate.SAME_YEAR
    levels[count <= 2] = BirthDate.CLOSE
    levels[(year & (month | day)) | (month & day & ((gap <= 10) | (gap % 10 == 0)))] = (
        BirthDate.ONE_PART
    )
    monthday, other_monthday = one & _DAY_OF_YEAR, other & _DAY_OF_YEAR
    turned = ((monthday & _DAY) << np.uint64(8)) | (monthday >> np.uint64(8))
    first = (monthday == _FIRST_OF_YEAR) | (other_monthday == _FIRST_OF_YEAR)
    levels[
        (year & ((turned == other_monthday) | first))
        | ((count == 2) & is_swap(one, other, changed))
    ] = BirthDate.REARRANGED
    return levels


def _years_alone(one: Bits, other: Bits) -> Levels:
    gap = years_apart(one, other)
    levels = np.full(len(one), BirthDate.ONLY_YEAR_DIFFERS, np.uint8)
    levels[gap <= 2] = BirthDate.ONLY_YEAR_NEAR
    levels[gap == 0] = BirthDate.ONLY_YEAR_SAME
    months = one & _MONTH, other & _MONTH
    levels[(gap == 0) & (months[0] != months[1]) & (months[0] > 0) & (months[1] > 0)] = (
        BirthDate.ONLY_YEAR_NEAR
    )
    return levels


def years_apart(one: Bits, other: Bits) -> Ids:
    """Return by how many years birth dates differ, as digits (see `Encoded.births`)."""
    return np.asarray(np.abs(_years(one) - _years(other)), np.int64)


def _years(births: Bits) -> Ids:
    digits = (births >> np.uint64(16)).astype(np.int64)
    thousands, rest = digits >> 12, digits & 0xFFF
    years = thousands * 1000 + (rest >> 8) * 100 + ((rest >> 4) & 15) * 10 + (rest & 15)
    return np.asarray(years, np.int64)
