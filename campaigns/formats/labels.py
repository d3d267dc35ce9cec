"""Postal labels as La Poste reads them: at most six lines of thirty-eight capitals (NF Z10-011).

Addresses are stored in full; they are shortened here, and only where a line is too long.
"""

import re

from mdm.folding import fold

WIDTH = 38
LINES = 6

_SHORT_WORDS = {
    "ALLEE": "ALL", "ALLEES": "ALL", "APPARTEMENT": "APT", "AVENUE": "AV", "BATIMENT": "BAT",
    "BOULEVARD": "BD", "CHEMIN": "CHE", "DOCTEUR": "DR", "DOMAINE": "DOM", "ESCALIER": "ESC",
    "ETAGE": "ETG", "FAUBOURG": "FG", "GENERAL": "GAL", "IMMEUBLE": "IMM", "IMPASSE": "IMP",
    "LIEU-DIT": "LD", "LOTISSEMENT": "LOT", "MARECHAL": "MAL", "PASSAGE": "PAS", "PLACE": "PL",
    "PRESIDENT": "PDT", "PROMENADE": "PROM", "QUARTIER": "QUA", "RESIDENCE": "RES",
    "ROUTE": "RTE", "SAINT": "ST", "SAINTE": "STE", "SQUARE": "SQ", "TRAVERSE": "TRA",
}  # fmt: skip
_UNPRINTED = re.compile(r"[^A-Z0-9 /'-]+")


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

    `street` is number and street. The country is written only when it is not France.
    """
    abroad = country if country and country != "FR" else ""
    lines = [name, complement, street, f"{postcode} {city}", abroad]
    return [line for text in lines if (line := label_line(text))][:LINES]


def label_line(text: str) -> str:
    """Return one line in capitals without accents, shortened by words, then cut, to fit."""
    line = " ".join(_UNPRINTED.sub(" ", fold(text).upper()).split())
    words = line.split(" ")
    for position, word in enumerate(words):
        if len(line) <= WIDTH:
            break
        words[position] = _SHORT_WORDS.get(word, word)
        line = " ".join(words)
    return line[:WIDTH].rstrip()
