"""Postal labels as La Poste reads them: six lines of thirty-eight capitals (NF Z10-011).

From the addressee to the place: name · inside the building · outside it · number and street ·
mailbox · postcode and town, and the country on a seventh line abroad. Addresses are stored in
full; they are shortened here, and only where a line is too long.
"""

import re
from collections.abc import Callable

from mdm.folding import fold
from mdm.standardise.abbreviations import ON_LABELS
from mdm.standardise.address_parts import by_label_line
from mdm.standardise.countries import name_on_label
from mdm.standardise.postcodes import FRENCH_REGIONS

WIDTH = 38
LINES = 6
LINES_ABROAD = 7
_LONGEST = 400  # Of a part of an address that is read; ten lines' worth.

_UNPRINTED = re.compile(r"[^A-Z0-9 /'-]+")
# From the street on, sorting machines read no punctuation; 12-14 and 3/5 stay.
_PUNCTUATION = re.compile(r"'|(?<!\d)[/-]|[/-](?!\d)")
_LONG_WORD = re.compile(
    r"\b(?:" + "|".join(sorted(ON_LABELS, key=len, reverse=True)).replace(" ", "[ -]") + r")\b"
)
_SMALL_WORD = re.compile(r" (?:DE|DU|DES|LA|LE|LES|ET|L|D|L'|D')(?: |(?<='))")
# Where the code stands behind the town.
_POSTCODE_LAST = frozenset("AU CA GB IE US".split())


def label_lines(
    *,
    name: str,
    complement: str = "",
    street: str = "",
    postcode: str = "",
    city: str = "",
    country: str = "",
) -> list[str]:
    """Return the lines of a label from the addressee to the country, without empty ones.

    `street` is number and street. The country is written only when the mail leaves France.
    """
    inside, outside, mailbox = by_label_line(complement[:_LONGEST])
    is_abroad = bool(country) and country not in FRENCH_REGIONS
    place = [city, postcode] if country in _POSTCODE_LAST else [postcode, city]
    above = [label_line(text) for text in (name, inside, outside)]
    below = [street, mailbox, " ".join(place), name_on_label(country) if is_abroad else ""]
    lines = above + [label_line(_PUNCTUATION.sub(" ", fold(text))) for text in below]
    return [line for line in lines if line]


def label_line(text: str) -> str:
    """Return one line in capitals without accents, shortened word by word, then cut, to fit."""
    line = " ".join(_UNPRINTED.sub(" ", fold(text[:_LONGEST]).upper()).split())
    line = _shortened(line, _LONG_WORD, lambda found: ON_LABELS[found[0].replace("-", " ")])
    line = _shortened(line, _SMALL_WORD, lambda _found: " ")
    return line if len(line) <= WIDTH else _cut(line)


def _shortened(line: str, words: re.Pattern[str], short: Callable[[re.Match[str]], str]) -> str:
    """Replace the words from the left, as many as needed."""
    while len(line) > WIDTH:
        line, count = words.subn(short, line, count=1)
        if not count:
            break
    return line


def _cut(line: str) -> str:
    """Leave out the end: whole words, unless the first one is too long already."""
    kept = line[: WIDTH + 1].rpartition(" ")[0] or line[:WIDTH]
    return kept[:WIDTH].strip()
