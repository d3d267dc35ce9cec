"""E-mail addresses: kept as given, valid or left out; a mistyped domain is told, not mended.

The form to send to is the one given, because a consent belongs to it; `email_key` is for
comparing only. An international domain has one form here, the readable one.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from mdm.standardise.email_domains import DISPOSABLE, SAME_DOMAIN, TAGGING, suggested_domain
from mdm.standardise.fillers import is_filler
from mdm.standardise.text import clean

MAX_LENGTH = 254
_LOCAL = r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
_PLAIN_LOCAL = re.compile(_LOCAL)
_PLAIN = re.compile(rf"({_LOCAL})@([A-Za-z0-9.-]*[A-Za-z0-9])")
_WRAPPED = re.compile(r"<\s*([^<>]+)\s*>\s*$")
_SEPARATORS = re.compile(r"\s*(?:[;,|/]|:::)\s*|\s+(?:ou|et|or)\s+")
# These part two addresses only: "jean - dupont@…" is none, and surely not that of Dupont.
_BETWEEN_TWO = re.compile(r"\s+(?:[-&+]\s+)?")
# What stands beside an address: "(perso)", "e-mail :", "?subject=…".
_BESIDE = re.compile(
    r"^\([^()@]*\)|\([^()@]*\)$|^(?:mailto|e-?mail|mail|courriel|mel)\s*:|\?(?:subject|body|cc|bcc)=.*",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r".*\(\s*([^()\s]+@[^()\s]+)\s*\)")
_ROLES = frozenset(
    "info infos contact accueil admin administrator commercial compta comptabilite direction "
    "facturation hostmaster mairie marketing no-reply noreply nepasrepondre office postmaster "
    "sales secretariat service-client serviceclient support webmaster".split()
)
# Typed where a form insists on an address.
_NOBODY = frozenset(
    "aucun aucune inconnu nomail no-mail noemail no-email pasdemail pas-de-mail pasdeemail "
    "pasdadresse sansmail sansemail sans-mail sans-email xxx xxxx xxxxx".split()
)


class Email(NamedTuple):
    """An address fit for use, or "" ; and the codes of what was seen."""

    value: str
    codes: tuple[str, ...] = ()


_NONE = Email("")
_FILLER = Email("", ("placeholder",))


def standardise_email(cell: str) -> Email:
    """Return the first valid address of a cell, its domain in small letters.

    Nothing is asked from the network: whether the domain exists is not known here.
    """
    if not cell:
        return _NONE
    if (found := _PLAIN.fullmatch(cell)) and len(cell) <= MAX_LENGTH and len(found[1]) <= 64:
        return _plain(found[1], found[2])
    text = clean(cell)
    if not text:
        return _NONE
    if len(text) > MAX_LENGTH:
        return Email("", ("too_long",))
    joined = text.replace(" @", "@").replace("@ ", "@")
    candidates = [part for part in _parts(joined) if "@" in part]
    codes: tuple[str, ...] = ("several",) if len(candidates) > 1 else ()
    valid = ((part, _valid(_unwrapped(part).strip(" .,'\""))) for part in candidates)
    part, address = next((pair for pair in valid if pair[1]), ("", ""))
    if not address:
        return Email("", ("placeholder",) if is_filler(text) else (*codes, "invalid"))
    if joined != text or _unwrapped(part) != part:
        codes += ("unwrapped",)
    local, _, domain = address.rpartition("@")
    if local.lower() in _NOBODY:
        return _FILLER
    return Email(address, codes + _role(local) + _doubts(domain))


def _parts(text: str) -> Iterator[str]:
    for part in _SEPARATORS.split(text):
        pieces = _BETWEEN_TWO.split(part)
        yield from pieces if all("@" in piece for piece in pieces) else [part]


def email_key(address: str) -> str:
    """Return what two spellings of one mailbox share; never send to it.

    Case, the dots of gmail and the `+tag` of providers known to have one are left out.
    """
    folded = address.casefold()
    local, _, domain = folded.rpartition("@")
    if not local or not domain:
        return folded
    domain = SAME_DOMAIN.get(domain, domain)
    if domain in TAGGING:
        local = local.partition("+")[0] or local
    if domain == "gmail.com":
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def ascii_form(address: str) -> str:
    """Return the address with its domain in ASCII, for programs that know no other."""
    local, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}@{_ascii_domain(domain)}"


def suggested_address(address: str) -> str:
    """Return the address with the domain that was probably meant, or ""."""
    local, _, domain = address.rpartition("@")
    meant = suggested_domain(domain)
    return f"{local}@{meant}" if local and meant else ""


def _plain(local: str, domain: str) -> Email:
    """Check an address of the usual letters: the full check, 26 µs, is done once per domain."""
    if local.lower() in _NOBODY:
        return _FILLER
    domain = _valid_domain(domain)
    if not domain:
        return Email("", ("invalid",))
    return Email(f"{local}@{domain}", _role(local) + _doubts(domain))


def _role(local: str) -> tuple[str, ...]:
    return ("role_address",) if local.lower() in _ROLES else ()


@lru_cache(maxsize=1 << 14)
def _doubts(domain: str) -> tuple[str, ...]:
    codes = ("domain_typo",) if suggested_domain(domain) else ()
    return (*codes, "disposable_address") if domain in DISPOSABLE else codes


def _unwrapped(text: str) -> str:
    """Take the address out of `Jean Petit <jean@example.org>` and `mailto:jean@example.org`."""
    found = _WRAPPED.search(text) if text[-1] == ">" else _IN_BRACKETS.fullmatch(text)
    return _BESIDE.sub("", found[1] if found else text).strip()


def _valid(address: str) -> str:
    local, _, domain = address.rpartition("@")
    if len(local) <= 64 and _PLAIN_LOCAL.fullmatch(local):
        domain = _valid_domain(domain)
        return f"{local}@{domain}" if domain else ""
    return _checked(address)


@lru_cache(maxsize=1 << 14)
def _valid_domain(domain: str) -> str:
    return _checked("a@" + domain).removeprefix("a@")


def _checked(address: str) -> str:
    try:
        # test_environment: invented people live under example.com and .test.
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return ""
    return found.normalized


@lru_cache(maxsize=1 << 14)
def _ascii_domain(domain: str) -> str:
    try:
        found = validate_email("a@" + domain, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return domain
    return found.ascii_domain or domain
