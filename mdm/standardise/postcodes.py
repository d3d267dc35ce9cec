"""Which towns a postcode serves: rules that need no table, and a table when one was loaded.

The table is a plain mapping, given to the standardiser once for many records; nothing is queried
here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from mdm.standardise.abbreviations import WORDS_IN_FULL
from mdm.standardise.text import fold

# Overseas regions have country codes of their own; their mail is French.
REGION_OF_POSTCODE = {
    "971": "GP", "972": "MQ", "973": "GF", "974": "RE", "975": "PM", "976": "YT", "977": "BL",
    "978": "MF", "986": "WF", "987": "PF", "988": "NC", "980": "MC",
}  # fmt: skip
FRENCH_REGIONS = frozenset(["FR", *REGION_OF_POSTCODE.values()])
# 20 is Corsica, whose departments are 2A and 2B; 96 and 99 are none.
_FRENCH = re.compile(r"(?:0[1-9]|[1-8]\d|9[0-5])\d{3}|97[1-8]\d\d|98[0678]\d\d")
_CORSICAN_COMMUNE = re.compile(r"2[AB]\d{0,3}")
_DISTRICT = re.compile(r" (?:cedex(?: \d+)?|\d+(?:e|er|eme)?(?: arrondissement)?)$")


def is_french(postcode: str) -> bool:
    """Tell whether five digits are a postcode of a department or an overseas region."""
    return _FRENCH.fullmatch(postcode) is not None


def is_corsican_commune(postcode: str) -> bool:
    """Tell whether the text is a department or commune code of Corsica (2A, 2B033)."""
    return _CORSICAN_COMMUNE.fullmatch(postcode) is not None


def is_elsewhere(postcode: str, country: str) -> bool:
    """Tell whether a French postcode contradicts the country given.

    "FR" is right for every overseas region, but not for Monaco.
    """
    region = REGION_OF_POSTCODE.get(postcode[:3], "FR")
    if country == "FR":
        return region == "MC"
    return country in FRENCH_REGIONS and bool(country) and region != country


@lru_cache(maxsize=1 << 15)
def town_key(name: str) -> str:
    """Return a town's name to compare: in full words, without CEDEX and district."""
    words = [fold(WORDS_IN_FULL.get(word, word)) for word in fold(name).split()]
    key, shorter = " ".join(words), ""
    while shorter != key:
        shorter, key = key, _DISTRICT.sub("", key)
    return key


@dataclass(frozen=True, slots=True)
class PostcodeTable:
    """Postcode → town key → the town as it is written; empty until an operator loads one."""

    towns: dict[str, dict[str, str]] = field(default_factory=dict)
    digest: str = ""

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> "PostcodeTable":
        """Build it from (postcode, town) rows."""
        towns: dict[str, dict[str, str]] = {}
        digest = sha256()
        for postcode, town in rows:
            towns.setdefault(postcode, {}).setdefault(town_key(town), town)
            digest.update(f"{postcode} {town}\n".encode())
        return cls(towns, digest.hexdigest()[:16] if towns else "")

    def check(self, postcode: str, town: str) -> str:
        """Return the issue code of a French postcode with its town, or ""."""
        if not self.towns or not postcode:
            return ""
        served = self.towns.get(postcode)
        if served is None:
            return "unknown_postcode"
        return "wrong_town" if town and town_key(town) not in served else ""

    def suggestions(self, postcode: str, town: str, *, limit: int = 3) -> list[str]:
        """Return what may have been meant: postcodes of the town nearby first, else its towns."""
        key = town_key(town)
        codes = [code for code, towns in self.towns.items() if key in towns]
        codes.sort(key=lambda code: (-_shared_start(code, postcode), code))
        if codes:
            return [f"{code} {self.towns[code][key]}" for code in codes[:limit]]
        return [f"{postcode} {name}" for name in self.towns.get(postcode, {}).values()][:limit]


NO_TABLE = PostcodeTable()


def _shared_start(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 5)
