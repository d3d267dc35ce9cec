"""Organisations: a name to compare by, and the numbers that states give them.

SIREN and SIRET carry a Luhn digit (the offices of La Poste, too many for it, a sum), a French VAT
number the SIREN and a key. Numbers of other EU states are checked for their shape only.
"""

import re
from functools import lru_cache

from mdm.standardise.email_domains import PROVIDERS
from mdm.standardise.text import clean, fold

MAX_LENGTH = 200
_LEGAL_FORMS = frozenset(
    "sarl sas sasu sa eurl sci scp sca scs snc sc scop scic selarl selas selurl gie gaec earl "
    "scea ei eirl asso association gmbh ag kg ug ohg ltd limited llc llp plc inc corp corporation "
    "bv nv vof srl sprl spa sl slu lda oy ab as aps sarlu".split()
)
_GENERIC = frozenset(
    "ste societe ets etablissement etablissements entreprise cie compagnie".split()
)
_SOLE_TRADERS = frozenset(
    "ei eirl autoentrepreneur autoentreprise microentrepreneur microentreprise".split()
)
_PLACEHOLDERS = frozenset(
    "particulier particuliers prive neant aucun aucune sans na nc n a nr non rien test x xx xxx "
    "sans objet none null unknown inconnu inconnue".split()
) - {"a", "n"} | {"n a", "sans objet", "sans employeur", "non renseigne", "non concerne"}
_LA_POSTE = "356000000"
_VAT_SHAPES = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}",
    "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}", "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}", "IT": r"\d{11}", "LT": r"\d{9}|\d{12}", "LU": r"\d{8}",
    "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"\d{9}B\d{2}", "PL": r"\d{10}", "PT": r"\d{9}",
    "RO": r"\d{2,10}", "SE": r"\d{12}", "SI": r"\d{8}", "SK": r"\d{10}", "XI": r"\d{9}|\d{12}",
}  # fmt: skip
_VAT = {country: re.compile(shape) for country, shape in _VAT_SHAPES.items()}
_SCHEME = re.compile(r"^(?:https?://)?(?:www\.)?", re.IGNORECASE)
_BLANKS_AND_DOTS = str.maketrans("", "", " .")
Codes = tuple[str, ...]


@lru_cache(maxsize=1 << 14)
def organisation(value: str) -> tuple[str, Codes]:
    """Return the name as given, without what says "none", and the issue codes."""
    value = clean(value)
    if len(value) > MAX_LENGTH:
        return "", ("too_long",)
    folded = fold(value)
    if folded in _PLACEHOLDERS or (value and not folded):
        return "", ("placeholder",)
    words = folded.replace("auto entre", "autoentre").replace("micro entre", "microentre").split()
    is_sole_trader = len(words) > 1 and (words[0] in _SOLE_TRADERS or words[-1] in _SOLE_TRADERS)
    return value, ("sole_trader",) if is_sole_trader else ()


@lru_cache(maxsize=1 << 14)
def organisation_key(value: str) -> str:
    """Return the name to compare by: "&" is "et", legal forms and "Société" left out.

    A name made of nothing else stays whole.
    """
    words = fold(_dotted_forms(value).replace("&", " et ")).split()
    kept = list(words)
    while kept and (kept[0] in _LEGAL_FORMS or kept[0] in _GENERIC):
        kept.pop(0)
    while kept and kept[-1] in _LEGAL_FORMS:
        kept.pop()
    return " ".join(kept or words)


def business_number(value: str, *, is_expected: bool) -> tuple[str, Codes]:
    """Return a SIREN, SIRET or VAT number without blanks, any other identifier as it is.

    `is_expected` tells that the record is an organisation's: then digits of that length whose
    check fails are an issue. Elsewhere they are somebody's own numbering.
    """
    value = clean(value)
    compact = value.translate(_BLANKS_AND_DOTS).upper()
    is_vat = compact[:2] in _VAT and len(compact) > 4
    if not is_vat and not (compact.isdecimal() and compact.isascii() and len(compact) in (9, 14)):
        return value, ()
    if is_vat_number(compact) or is_siren(compact) or is_siret(compact):
        return compact, ()
    return value, ("checksum",) if is_expected else ()


def website(value: str) -> str:
    """Return a site without its scheme and `www.`, in lower case up to the first slash."""
    if not value:
        return ""
    address = _SCHEME.sub("", clean(value))
    host, slash, page = address.partition("/")
    return (host.casefold() + slash + page).rstrip("/ ")


def site_domain(value: str) -> str:
    """Return the domain of a site or a mailbox; "" for mailboxes that people rent."""
    address = value.strip()
    host = address.rpartition("@")[2] if "@" in address else website(address).partition("/")[0]
    host = host.casefold().partition(":")[0]
    return "" if "@" in address and host in PROVIDERS else host


def registration_key(value: str) -> str:
    """Return the number to compare by: SIRET and French VAT numbers are cut to their SIREN."""
    number = "".join(filter(str.isalnum, value)).casefold()
    if len(number) == 14 and number.isdecimal():
        return number[:9]
    return number[4:] if len(number) == 13 and number.startswith("fr") else number


def exclusive_number(value: str) -> str:
    """Return what two records of one customer cannot differ in: of a SIRET or VAT its SIREN."""
    compact = value.upper()
    is_cut = is_siret(compact) or (compact.startswith("FR") and is_vat_number(compact))
    return registration_key(compact) if is_cut else value


def is_siren(number: str) -> bool:
    """Tell whether nine digits are a SIREN."""
    return len(number) == 9 and _is_luhn(number)


def is_siret(number: str) -> bool:
    """Tell whether fourteen digits are a SIRET: an establishment of the SIREN it starts with."""
    if len(number) != 14 or not (number.isascii() and number.isdecimal()):
        return False
    if number.startswith(_LA_POSTE) and sum(map(int, number)) % 5 == 0:
        return True
    return _is_luhn(number) and is_siren(number[:9])


def is_vat_number(number: str) -> bool:
    """Tell whether a number with its country in front has the shape, and in France the key."""
    shape = _VAT.get(number[:2])
    if shape is None or not shape.fullmatch(number[2:]):
        return False
    if number[:2] != "FR":
        return True
    key, siren = number[2:4], number[4:]
    # Keys with letters exist for new numbers; their rule is not published.
    return is_siren(siren) and (not key.isdecimal() or int(key) == (12 + 3 * int(siren)) % 97)


def _is_luhn(number: str) -> bool:
    if not (number.isascii() and number.isdecimal()) or not number.strip("0"):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(doubled) + sum(map(int, number[-1::-2]))) % 10 == 0


def _dotted_forms(value: str) -> str:
    """Write `S.A.R.L.` as one word."""
    return re.sub(r"\b(?:[A-Za-z]\.){2,}", lambda found: found[0].replace(".", "") + " ", value)
