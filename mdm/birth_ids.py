"""Public ids of customers: short, neutral, never reused, in one-to-one relation with the key.

A source record's key counts births; the public id is that number sent through a fixed
permutation (a four-round Feistel network over 40 bits) and written in Crockford's base 32, so
ids tell neither order nor volume and never collide. `G-4F7K-2MXQ` and `4f7k2mxq` read the same.
"""

from functools import lru_cache

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Two letters at a time: a load needs an id for every row.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
# Crockford: letters that people confuse are read as the digit they resemble.
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_HALF_BITS = 20  # 40 bits make exactly eight letters.
_MASK = (1 << _HALF_BITS) - 1
_ROUND_KEYS = (0x9E377, 0x85EBC, 0xC2B2A, 0x27D4E)
_LENGTH = 8


def _scramble(half: int, key: int) -> int:
    mixed = (half * 0x5BD1E9 + key) & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 13)) * 0x1B873 >> 7) & _MASK


# Whoever writes a customer and her golden record asks twice.
@lru_cache(maxsize=8192)
def public_id(key: int) -> str:
    """Return the eight-letter public id of a birth number (1 … 2**40 - 1)."""
    left, right = key >> _HALF_BITS, key & _MASK
    for round_key in _ROUND_KEYS:
        left, right = right, left ^ _scramble(right, round_key)
    return _PAIRS[left >> 10] + _PAIRS[left & 1023] + _PAIRS[right >> 10] + _PAIRS[right & 1023]


def birth_number(text: str) -> int | None:
    """Return the birth number a public id was made from, or None when it is no public id.

    Reads the forms people type: lower case, with or without `G-` and hyphens.
    """
    letters = text.strip().upper().removeprefix("G-").replace("-", "").translate(_READ_AS)
    if len(letters) != _LENGTH or any(letter not in _VALUES for letter in letters):
        return None
    number = 0
    for letter in letters:
        number = number << 5 | _VALUES[letter]
    left, right = number >> _HALF_BITS, number & _MASK
    for round_key in reversed(_ROUND_KEYS):
        left, right = right ^ _scramble(left, round_key), left
    return left << _HALF_BITS | right


def display(identifier: str) -> str:
    """Return a public id as people read it: `G-4F7K-2MXQ`."""
    return f"G-{identifier[:4]}-{identifier[4:]}"
