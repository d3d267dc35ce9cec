"""Names of people: civility, given, family and birth name, in the case they are written in.

Covers French use first: ALL CAPS for the family name, particles, `née`, `épouse`, remarks in
brackets, placeholders of tills and forms.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from mdm.standardise.given_names import is_given_name
from mdm.standardise.name_words import (
    BIRTH,
    BIRTH_WORD,
    CIVILITIES,
    COMPANY_WORDS,
    COUPLE,
    ONE_LETTER,
    PLACEHOLDERS,
    SEXES,
    SMALL_PARTICLES,
    TITLES,
    TWO_GIVEN_NAMES,
    TWO_NAMES,
    tells_birth,
)
from mdm.standardise.text import clean, fold

# As the columns of PersonValues; a whole name may hold two.
MAX_LENGTH = 100
MAX_FULL_LENGTH = 200

_PIECE = re.compile("(?:[^\\W\\d_]|[\u0300-\u036f])+")
_LETTER = re.compile(r"[^\W\d_]")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|\*[^*]*\*")
_LOOSE_REMARK = re.compile(r"(?<!\S)(?:npai|dcd|d[ée]c[ée]d[ée]e?|vip)(?!\S)", re.IGNORECASE)
_DOUBLE_HYPHEN = re.compile(r"\s*--+\s*")
_COMPOUND_STARTS = frozenset("jean marie anne pierre louis paul charles".split())

Codes = tuple[str, ...]


class NamePart(NamedTuple):
    """One cell of a name: what is left of it, and the civility that stood before it."""

    value: str
    civility: str
    codes: Codes


_NO_NAME = NamePart("", "", ())


class FamilyName(NamedTuple):
    """The name in use and the name at birth, where the cell tells both."""

    used: str
    birth: str
    civility: str
    codes: Codes


class FullName(NamedTuple):
    """A whole name taken apart."""

    civility: str
    given: str
    family: str
    birth: str
    codes: Codes


@lru_cache(maxsize=1 << 12)
def civility(value: str) -> tuple[str, Codes]:
    """Return "mr", "mrs" or "" and the issue codes of the cell."""
    value = clean(value)
    if COUPLE.match(value):
        return "", ("household",)
    if len(value) > MAX_LENGTH:  # Folding nonsense takes its time.
        return "", ("unknown_value",)
    folded = fold(value)
    if folded in CIVILITIES:
        return CIVILITIES[folded], ()
    return "", ("unknown_value",) if folded else ()


@lru_cache(maxsize=1 << 12)
def sex(value: str) -> tuple[str, Codes]:
    """Return "m", "f" or "" and the issue codes of the cell."""
    folded = fold(value) if len(value) <= MAX_FULL_LENGTH else fold(clean(value)[:MAX_FULL_LENGTH])
    if folded in SEXES:
        return SEXES[folded], ()
    return "", ("unknown_value",)


@lru_cache(maxsize=1 << 16)
def given_name(value: str) -> NamePart:
    """Return the given name of a cell; initials stay capitals."""
    value = clean(value)
    if " " in value and TWO_GIVEN_NAMES.match(value):
        return NamePart("", "", ("household",))
    part = _name_part(value, is_given=True)
    if _is_initials(part.value):
        return part._replace(value=part.value.upper(), codes=(*part.codes, "initial"))
    return part


@lru_cache(maxsize=1 << 16)
def family_name(value: str) -> FamilyName:
    """Return the used and the birth name of a cell such as `Durand née Petit`.

    After `née` stands the birth name; after `épouse` or `veuve` the used one. `M. et Mme Durand`
    and `Famille Durand` are a household.
    """
    # "DUPONT--MARTIN": how registrars wrote the names of both parents from 2005 to 2010.
    value = _DOUBLE_HYPHEN.sub(" ", clean(value)) if "--" in value else clean(value)
    has_words = " " in value and len(value) <= MAX_FULL_LENGTH
    if has_words and (name := _family_of_household(value)):
        one = family_name(name)
        return one._replace(codes=_of_household(one.codes))
    found = BIRTH.match(value) if has_words else None
    if found is None:
        part = _name_part(value)
        return FamilyName(part.value, "", part.civility, part.codes)
    before = _name_part(found["before"].strip(" ,("))
    if not before.value and not tells_birth(fold(found["word"])) and BIRTH.match(found["after"]):
        # "Veuve Durand née Petit": the first word says who she was, the second her names.
        return family_name(found["after"])._replace(civility=before.civility)
    after = _name_part(_first_name_of(found["after"]))
    codes = before.codes + after.codes
    if not before.value:
        # "née Petit" alone: the only name we know serves as both.
        return FamilyName(after.value, after.value, before.civility, codes)
    used, birth = before.value, after.value
    if not tells_birth(fold(found["word"])):
        used, birth = birth, used
    return FamilyName(used, birth, before.civility, codes)


def _family_of_household(value: str) -> str:
    """Return what is left of `M. et Mme Durand` or `Durand Jean et Marie`; "" for one person."""
    if (couple := COUPLE.match(value)) and (name := value[couple.end() :]):
        return name
    return _without_two_given_names(value) or ""


def _of_household(codes: Codes) -> Codes:
    return ("household", *(code for code in codes if code != "household"))


def _without_two_given_names(value: str) -> str | None:
    """Return what is left of `DUPONT Jean et Marie`, None where no two given names are joined."""
    for found in TWO_NAMES.finditer(value):
        if all(is_given_name(fold(name)) for name in found.groups()):
            return f"{value[: found.start()]} {value[found.end() :]}".strip(" ,")
    return None


def birth_name(value: str) -> NamePart:
    """Return the birth name of its own column."""
    if not value:
        return _NO_NAME
    family = family_name(value)
    return NamePart(family.birth or family.used, "", family.codes)


@lru_cache(maxsize=1 << 14)
def full_name(value: str) -> FullName:
    """Take a whole name apart.

    A comma, capitals, a particle or the table of given names tell the family name; else the last
    word is taken for it.
    """
    value = clean(value)
    if len(value) > MAX_FULL_LENGTH:
        return FullName("", "", "", "", ("too_long",))
    couple = COUPLE.match(value)
    if couple:
        family = family_name(value[couple.end() :])
        return FullName("", "", family.used, family.birth, _of_household(family.codes))
    if " " in value and (name := _without_two_given_names(value)) is not None:
        family = family_name(name)
        return FullName("", "", family.used, family.birth, _of_household(family.codes))
    if fold(value.partition(" ")[0]) in COMPANY_WORDS:
        return FullName("", "", *family_name(value)[:2], family_name(value).codes)
    remarks: Codes = ()
    if not BIRTH_WORD.search(value):  # "(née Petit)" is no remark.
        value, remarks = _strip_remarks(value)
    title, rest = _strip_titles(value, is_given=False)
    birth_part = BIRTH.match(rest)
    tail = rest[birth_part.end("before") :] if birth_part else ""
    given_text, family_text = _split_full(rest[: birth_part.end("before")] if birth_part else rest)
    given, family = given_name(given_text), family_name(family_text + tail)
    codes = remarks + given.codes + family.codes
    return FullName(title, given.value, family.used, family.birth, codes)


@lru_cache(maxsize=1 << 16)
def proper_case(value: str) -> str:
    """Return the value as names are written: "de La Rochefoucauld", "Le Goff", "McDonald".

    A case somebody chose ("LeGuillou", "De Monte") is kept; capitals or small letters alone say
    nothing and are rewritten.
    """
    is_uniform = value.isupper() or value.islower()
    last = max((found.start() for found in _PIECE.finditer(value)), default=-1)

    def rewrite(found: re.Match[str]) -> str:
        piece = found[0]
        follower = value[found.end() : found.end() + 1]
        is_chosen = not (is_uniform or piece.isupper() or piece.islower())
        if is_chosen and not (piece[0].islower() and piece[1:].isupper()):
            return piece
        if found.start() != last and _is_particle(piece.lower(), follower):
            return piece.lower()
        return _capitalised(piece)

    return _PIECE.sub(rewrite, value)


def _is_particle(piece: str, follower: str) -> bool:
    return (piece in SMALL_PARTICLES and follower == " ") or (piece == "d" and follower == "'")


def _capitalised(piece: str) -> str:
    first = piece[0].upper()
    # "ß" and a few others have no single capital: they stay, or a second pass would go on.
    rest = piece[1:].lower()
    if len(first) != 1 or len(rest) != len(piece) - 1:
        return piece
    if first == "M" and rest[:1] == "c" and len(rest) > 3:
        return "Mc" + rest[1].upper() + rest[2:]
    return first + rest


def _first_name_of(text: str) -> str:
    """Return the name after `née`, without a second `née` or the bracket that closes the first."""
    parts = (part.strip(" ,(") for part in BIRTH_WORD.split(text))
    name = next(filter(None, parts), "")
    return name.rstrip(" )") if name.count(")") > name.count("(") else name


def _name_part(value: str, *, is_given: bool = False) -> NamePart:
    if not value:
        return _NO_NAME
    if len(value) > MAX_LENGTH:
        return NamePart("", "", ("too_long",))
    value, codes = _strip_remarks(value)
    title, value = _strip_titles(value, is_given=is_given)
    folded = fold(value)
    if value and (
        folded in PLACEHOLDERS or ONE_LETTER.fullmatch(folded) or not _LETTER.search(value)
    ):
        return NamePart("", title, (*codes, "placeholder"))
    if any(letter.isdigit() for letter in value):
        codes = (*codes, "digits")
    return NamePart(proper_case(value), title, codes)


def _strip_remarks(value: str) -> tuple[str, Codes]:
    codes: list[str] = []

    def note(found: re.Match[str]) -> str:
        codes.append(_remark_code(fold(found[0])))
        return " "

    if not may_hold_remark(value):
        return " ".join(value.split()), ()
    count = 1
    while count:
        value, count = _BRACKETS.subn(note, value)
    value = _LOOSE_REMARK.sub(note, value)
    return " ".join(value.split()), tuple(dict.fromkeys(codes))


def may_hold_remark(value: str) -> bool:
    """Tell whether a cell could hold a remark beside the name; "no" is sure."""
    return any(mark in value for mark in "([{*") or bool(_LOOSE_REMARK.search(value))


def _remark_code(remark: str) -> str:
    if re.search(r"\b(decedee?|dcd|defunte?|deceased)\b", remark):
        return "remark_deceased"
    if re.search(r"\b(ne pas|ne plus|stop|do not|opposition)\b", remark):
        return "remark_do_not_contact"
    if re.search(r"\b(npai|retour|returned)\b", remark):
        return "remark_returned_mail"
    return "remark"


def _strip_titles(value: str, *, is_given: bool) -> tuple[str, str]:
    """Return the civility before a name and the name without it.

    A lone "M" before a given name is an initial more often than a title, unless a dot follows and
    another word stands behind it.
    """
    found = ""
    while value:
        first, _, rest = value.partition(" ")
        word = fold(first)
        if word not in CIVILITIES or (not rest and len(word) == 1):
            break
        if is_given and (word in TITLES or first.lower() == "m"):
            break
        found, value = found or CIVILITIES[word], rest
    return found, value


def _split_full(value: str) -> tuple[str, str]:
    """Return the given and the family part of a whole name without title."""
    if "," in value:
        family, _, given = value.partition(",")
        return given.strip(), family.strip()
    words = value.split()
    if len(words) < 2:
        return "", value
    is_capital = [word.isupper() and len(word.strip(".")) > 1 for word in words]
    if any(is_capital) and not all(is_capital):
        capitals = [word for word, chosen in zip(words, is_capital, strict=True) if chosen]
        others = [word for word, chosen in zip(words, is_capital, strict=True) if not chosen]
        return _move_particles(others, capitals)
    for position, word in enumerate(words[1:], start=1):
        if (
            word.lower() in SMALL_PARTICLES
            or word.lower() in {"le", "la"}
            or word.lower()[:2] == "d'"
        ):
            return " ".join(words[:position]), " ".join(words[position:])
    if is_given_name(fold(words[-1])) and not is_given_name(fold(words[0])):
        return words[-1], " ".join(words[:-1])
    cut = 2 if len(words) > 2 and fold(words[0]) in _COMPOUND_STARTS else 1
    return " ".join(words[:cut]), " ".join(words[cut:])


def _move_particles(given: list[str], family: list[str]) -> tuple[str, str]:
    """Give "de" of "Jean de LA TOUR" to the family name."""
    particles: list[str] = []
    while given and given[-1].lower() in SMALL_PARTICLES | {"le", "la"}:
        particles.insert(0, given.pop())
    return " ".join(given), " ".join(particles + family)


def _is_initials(value: str) -> bool:
    """Tell whether a name is "J", "J.-P." or "jp": a lone letter, or a few without a vowel."""
    letters = value.replace(".", "").replace("-", "")
    if not 0 < len(letters) <= 3 or not letters.isascii():
        return False
    return len(letters) == 1 or not re.search("[aeiouy]", letters.lower())
