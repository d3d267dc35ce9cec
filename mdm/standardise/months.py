"""Dates that name their month, in six languages: read with its number instead."""

import re
from collections.abc import Mapping
from functools import lru_cache

from mdm.standardise.text import fold

_NAMES = (
    "january janvier januar janner jaenner enero gennaio januari",
    "february fevrier februar feber febrero febbraio februari",
    "march mars marz maerz marzo maart mrt",
    "april avril abril aprile",
    "may mai mayo maggio mei",
    "june juin juni junio giugno",
    "july juillet juli julio luglio",
    "august aout agosto augustus",
    "september septembre septiembre setiembre settembre",
    "october octobre oktober octubre ottobre",
    "november novembre noviembre",
    "december decembre dezember diciembre dicembre",
)
# "1er mars", "12 de marzo", "the 3rd of May", "3º": what says nothing about the day.
_DROPPED = frozenset("er re e st nd rd th o a de del den der of the le el il um at".split())
_PART = re.compile(r"[^\W\d_]+|\d+")
_DIRECTIVE = re.compile(r"%[A-Za-z]")
_NAMED = re.compile(r"%[bB]")
_ZONED = re.compile(r"%[zZ]")
_SIGN = "#"  # Before the month, which would be taken for the day else: "March 12".
_SHORTEST = 3


def _beginnings() -> dict[str, str]:
    """Return each beginning that one month alone has in any language: `juil`, never `jui`."""
    found: dict[str, set[int]] = {}
    for number, names in enumerate(_NAMES, start=1):
        for name in names.split():
            for length in range(_SHORTEST, len(name) + 1):
                found.setdefault(name[:length], set()).add(number)
    return {
        start: f"{_SIGN}{min(months):02}" for start, months in found.items() if len(months) == 1
    }


_NUMBERS: Mapping[str, str] = _beginnings()


@lru_cache(maxsize=256)
def names_month(date_format: str) -> bool:
    """Tell whether dates in the format name their month, in a language that may be ours.

    A zone has a sign of its own, which would be lost: such moments are read in English.
    """
    return bool(_NAMED.search(date_format)) and not _ZONED.search(date_format)


def plain(text: str) -> str:
    """Return a date that names one month as `12 #03 1980`; else ""."""
    found: list[str] = []
    named = 0
    for part in _PART.findall(text):
        number = "" if part.isdigit() else _NUMBERS.get(fold(part), "")
        named += bool(number)
        if number or part.isdigit() or fold(part) not in _DROPPED:
            found.append(number or part)
    return " ".join(found) if named == 1 else ""


def plain_format(date_format: str) -> str:
    """Return the format of what `plain` gives of a date in this one."""
    return " ".join(_NAMED.sub(f"{_SIGN}%m", part) for part in _DIRECTIVE.findall(date_format))
