"""What tills, call centres and web forms do to a clean value."""

from collections.abc import Callable
from datetime import date
from random import Random

from anyascii import anyascii

from mdm.demo.names import NICKNAMES
from mdm.demo.places import ABBREVIATIONS

_NEIGHBOURING_KEYS = {
    "a": "zq", "b": "vn", "c": "xv", "d": "sf", "e": "zr", "f": "dg", "g": "fh", "h": "gj",
    "i": "uo", "j": "hk", "k": "jl", "l": "km", "m": "lp", "n": "b", "o": "ip", "p": "om",
    "q": "as", "r": "et", "s": "qd", "t": "ry", "u": "yi", "v": "cb", "w": "xs", "x": "wc",
    "y": "tu", "z": "ae",
}  # fmt: skip


def mistype(rng: Random, text: str) -> str:
    """Change one letter as fingers do: swapped, doubled, dropped or the key beside it."""
    letters = [place for place, letter in enumerate(text) if letter.isalpha()]
    if len(letters) < 3:
        return text
    place = rng.choice(letters[1:])  # the first letter is nearly always right
    letter = text[place]
    if rng.random() < 0.3 and place + 1 < len(text) and text[place + 1].isalpha():
        return text[:place] + text[place + 1] + letter + text[place + 2 :]
    near = rng.choice(_NEIGHBOURING_KEYS.get(letter.lower(), letter.lower()))
    replacement = rng.choice((near.upper() if letter.isupper() else near, letter * 2, ""))
    return text[:place] + replacement + text[place + 1 :]


def lose_accents(text: str) -> str:
    """Write in plain letters, as old systems store them."""
    return anyascii(text)


def shout(text: str) -> str:
    """Write in capitals without accents or hyphens, as tills print."""
    return anyascii(text).upper().replace("-", " ")


def restyle(rng: Random, text: str, styles: tuple[Callable[[str], str], ...]) -> str:
    """Write the text in one of the styles, each as likely as it is often named."""
    return rng.choice(styles)(text)


def shorten_given_name(rng: Random, given_name: str) -> str:
    """Give a nickname, the first half of a compound name or an initial."""
    if "-" in given_name:
        first, second = given_name.split("-", 1)
        return rng.choice(
            (first, f"{first[0]}.-{second[0]}.", f"{first[0]}{second[0]}", f"{first} {second}")
        )
    nickname = NICKNAMES.get(given_name)
    return (
        nickname
        if nickname and rng.random() < 0.8
        else rng.choice((given_name[0], f"{given_name[0]}."))
    )


def abbreviate(rng: Random, line: str) -> str:
    """Shorten the street type and the long words of a street line: `12 av du Gal de Gaulle`."""
    for word, short_forms in ABBREVIATIONS.items():
        if word in line:
            line = line.replace(word, rng.choice(short_forms), 1)
    return line


def misremember_date(rng: Random, day: date) -> date:
    """Give the date as clerks record it: 1 January, day and month swapped, a digit off."""
    chance = rng.random()
    if chance < 0.4:
        return day.replace(month=1, day=1)
    if chance < 0.7 and day.day <= 12:
        return day.replace(month=day.day, day=day.month)
    if chance < 0.85:
        return day.replace(year=day.year + rng.choice((-10, -1, 1, 10)), day=min(day.day, 28))
    return day.replace(day=rng.randrange(1, 29))


def format_phone(rng: Random, number: str) -> str:
    """Write ten digits in one of the six ways people do."""
    if not number:
        return ""
    pairs = [number[place : place + 2] for place in range(0, 10, 2)]
    separator = rng.choice(("", "", " ", " ", ".", "-"))
    if rng.random() < 0.12:
        return rng.choice(
            (f"+33 {number[1]} {' '.join(pairs[1:])}", f"0033{number[1:]}", f"+33{number[1:]}")
        )
    return separator.join(pairs)


def misdial(rng: Random, number: str) -> str:
    """Swap two of the last four digits, which keeps the number inside its range."""
    if not number:
        return ""
    place = rng.choice((6, 7, 8))
    return number[:place] + number[place + 1] + number[place] + number[place + 2 :]


def stray_blanks(rng: Random, text: str) -> str:
    """Add the blank that a copied cell brings along."""
    return rng.choice((f" {text}", f"{text} ", f"{text}  ", text.replace(" ", "  ", 1)))
