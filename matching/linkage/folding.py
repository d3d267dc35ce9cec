"""Turn display values into comparison keys: one function per kind of value, "" for nothing left.

Folding forgets what people write differently and mean alike: accents, case, blanks, particles,
abbreviations. It runs on distinct values only.
"""

import re
from collections.abc import Callable

from anyascii import anyascii

from mdm.standardise.organisations import organisation_key, registration_key, site_domain

_NOT_LETTER_OR_DIGIT = re.compile(r"[^a-z0-9]+")
_DIGITS = re.compile(r"\d+")
_CEDEX = re.compile(r"\bcedex\b.*$")
_PARTICLES = frozenset("de du des d da di do dos la le les l van von der den ter zu el al".split())
_STREET_WORDS = {
    "r": "rue",
    "av": "avenue",
    "ave": "avenue",
    "bd": "boulevard",
    "bld": "boulevard",
    "blvd": "boulevard",
    "pl": "place",
    "ch": "chemin",
    "che": "chemin",
    "chem": "chemin",
    "imp": "impasse",
    "all": "allee",
    "rte": "route",
    "sq": "square",
    "q": "quai",
    "res": "residence",
    "lot": "lotissement",
    "fg": "faubourg",
    "fbg": "faubourg",
    "st": "saint",
    "ste": "sainte",
    "gal": "general",
    "dr": "docteur",
    "pdt": "president",
}
_ONE_SOUND = (
    ("ph", "f"), ("sch", "s"), ("sh", "s"), ("ch", "s"), ("ck", "k"), ("dt", "t"), ("th", "t"),
    ("qu", "k"), ("q", "k"), ("c", "k"), ("x", "ks"), ("z", "s"), ("w", "v"), ("j", "i"),
    ("d", "t"), ("b", "p"),
)  # fmt: skip
_TAGGING_HOSTS = frozenset({"gmail.com", "googlemail.com"})
_HOST_ALIASES = {"googlemail.com": "gmail.com"}


def words(value: str) -> list[str]:
    """Return the words of a value in plain lower-case letters: "Jean-Rémi" is [jean, remi]."""
    # anyascii walks through the letters one by one.
    plain = value if value.isascii() else anyascii(value)
    return _NOT_LETTER_OR_DIGIT.sub(" ", plain.lower()).split()


def name(value: str) -> str:
    """Return a personal name as words without accents; particles stay."""
    return " ".join(words(value))


def compact(value: str) -> str:
    """Return a folded name without its blanks: "le guillou" and "leguillou" are one name."""
    return value.replace(" ", "")


def name_parts(folded: str) -> list[str]:
    """Return the words of a folded name that could stand alone: no particle, no initial."""
    return [word for word in folded.split() if word not in _PARTICLES and len(word) > 1]


def street(value: str) -> str:
    """Return a street with its abbreviations spelled out and its particles dropped."""
    spelled = (_STREET_WORDS.get(word, word) for word in words(value))
    return " ".join(word for word in spelled if word not in _PARTICLES)


def number(value: str) -> str:
    """Return a street number without blanks: "12 Bis" is "12bis"."""
    return "".join(words(value)).lstrip("0")


def city(value: str) -> str:
    """Return a town without arrondissement, CEDEX and abbreviations of Saint."""
    plain = _DIGITS.sub(" ", _CEDEX.sub("", " ".join(words(value))))
    spelled = (_STREET_WORDS.get(w, w) if w in ("st", "ste") else w for w in plain.split())
    return " ".join(word for word in spelled if word not in _PARTICLES)


def digits(value: str) -> str:
    """Return the last nine digits of a phone number, the part no prefix changes."""
    found = "".join(_DIGITS.findall(value))
    return found[-9:] if len(found) >= 6 else ""


def email(value: str) -> str:
    """Return the address as its mailbox is compared: Gmail's dots and tags lead to one box."""
    local, at, host = value.strip().casefold().rpartition("@")
    if not at or not local or not host:
        return ""
    if host in _TAGGING_HOSTS:
        local = local.split("+", 1)[0].replace(".", "") or local
    return f"{local}@{_HOST_ALIASES.get(host, host)}"


def sound(name: str) -> str:
    """Return the first consonants of a name as they sound in most languages: for blocking only.

    Vowels, h and doubled letters go, letters that stand for one sound become one: "schmitt" and
    "schmidt", "philippe" and "filip", "wagner" and "vagnere" share a key. What only French leaves
    unspoken has the code of `mdm.standardise.phonetic`, which loses names of other countries.
    """
    return consonants(name)[:6]


def consonants(word: str) -> str:
    """Return all consonants of a word as they sound, see `sound`."""
    spelled = word
    for letters, one in _ONE_SOUND:
        spelled = spelled.replace(letters, one)
    first, rest = spelled[:1], spelled[1:]
    kept = [first, *(letter for letter in rest if letter not in "aeiouyh ")]
    return "".join(b for a, b in zip(["", *kept], kept, strict=False) if a != b)


def plain(value: str) -> str:
    """Return letters and digits only: for identifiers, postcodes and dates."""
    return "".join(words(value))


FOLDS: dict[str, Callable[[str], str]] = {
    "sex": plain,
    "given_name": name,
    "family_name": name,
    "birth_name": name,
    "birth_date": plain,
    "organisation": organisation_key,
    "identifier": plain,
    "email": email,
    "phone": digits,
    "other_phone": digits,
    "street_number": number,
    "street": street,
    "postcode": plain,
    "city": city,
    "middle_name": name,
    "birth_place": city,
    "occupation": name,
    "country": plain,
    "registration": registration_key,
    "website": site_domain,
    "other_email": email,
}
