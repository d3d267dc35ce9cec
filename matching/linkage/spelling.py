"""What the letters of distinct words say, worked out for all words of a column at once."""

from collections.abc import Callable, Sequence

import numpy as np

from matching.linkage.columns import Bits, Ids, Objects

Words = Sequence[str | None] | Objects

_WORDS_AT_ONCE = 20_000
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789 @.-_'+"
_LETTER_BITS = np.zeros(256, np.uint64)
for _position, _letter in enumerate(_ALPHABET):
    _LETTER_BITS[ord(_letter)] = np.uint64(1) << np.uint64(_position)
_LENGTH_BITS = np.array(
    [((1 << length) - 1) << len(_ALPHABET) for length in range(65 - len(_ALPHABET))], np.uint64
)

_PLACES = 256
# Raw output, because numpy keeps only that the same for ever; keys are stored.
_RANDOM_BITS = np.random.PCG64(20_230_717).random_raw(_PLACES * 256)


def signatures(words: Words) -> Bits:
    """Return the letters that occur an odd number of times in each word, as bits; 0 for None.

    The bits that are left count letters: as many are set as the word is long. A letter changed
    into another changes two bits at most, so does one more or less, a swap of neighbours none:
    words within k edits differ in at most 2k bits, so a filter on the bits loses no close pair.
    """
    return _in_slices(_signatures, words)


def hashes(words: Words) -> Bits:
    """Return 64 bits per word that are the same in every run and on every machine; 0 for None.

    Tabulation hashing (Zobrist 1970): each letter at its place adds a random number. Two of a
    million words share a hash once in forty million files.
    """
    return _in_slices(_hashes, words)


def packed_digits(words: Words) -> Bits:
    """Return each word's first 16 digits, four bits each, so that all digits compare at once."""
    digits = ["".join(filter(str.isdigit, word or ""))[:16] for word in words]
    return np.array([int(number or "0", 16) for number in digits], np.uint64)


def packed_dates(words: Words) -> Bits:
    """Return year, month and day as packed digits; a year or a year and month alone have zeros."""
    known = [
        word.ljust(8, "0") if word and len(word) in (4, 6, 8) and word.isdigit() else "0"
        for word in words
    ]
    return np.array([int(digits, 16) for digits in known], np.uint64)


def _in_slices(function: Callable[[Words], Bits], words: Words) -> Bits:
    """Work words out some thousand at a time: each of their letters takes 32 bytes meanwhile."""
    found = np.zeros(len(words), np.uint64)
    for start in range(0, len(words), _WORDS_AT_ONCE):
        part = slice(start, start + _WORDS_AT_ONCE)
        found[part] = function(words[part])
    return found


def _signatures(words: Words) -> Bits:
    letters, lengths = _letters(words)
    parity = _reduced(_LETTER_BITS[letters], lengths, np.bitwise_xor)
    return np.asarray(parity | np.take(_LENGTH_BITS, np.minimum(lengths, len(_LENGTH_BITS) - 1)))


def _hashes(words: Words) -> Bits:
    letters, lengths = _letters(words)
    place = (np.arange(len(letters)) - np.repeat(np.cumsum(lengths) - lengths, lengths)) % _PLACES
    return _reduced(_RANDOM_BITS[place * 256 + letters], lengths, np.add)


def _letters(words: Words) -> tuple[Ids, Ids]:
    spelled = [(word or "").encode("ascii", "replace") for word in words]
    lengths = np.fromiter(map(len, spelled), np.int64, len(spelled))
    return np.frombuffer(b"".join(spelled), np.uint8).astype(np.int64), lengths


def _reduced(values: Bits, lengths: Ids, join: np.ufunc) -> Bits:
    found = np.zeros(len(lengths), np.uint64)
    has_letters = np.flatnonzero(lengths)
    if len(values):
        starts = (np.cumsum(lengths) - lengths)[has_letters]
        found[has_letters] = join.reduceat(values, starts)
    return found
