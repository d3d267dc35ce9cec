"""E-mail addresses: kept as given, valid or left out; a mistyped domain is told, not mended."""

import re
from functools import lru_cache
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from mdm.standardise.text import clean

MAX_LENGTH = 254
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_WRAPPED = re.compile(r"<\s*([^<>]+)\s*>\s*$")
_SEPARATORS = re.compile(r"\s*[;,|/]\s*|\s+(?:ou|et|or)\s+")
_ROLES = frozenset(
    "info infos contact accueil admin administrator commercial compta comptabilite direction "
    "facturation hostmaster mairie marketing no-reply noreply nepasrepondre office postmaster "
    "sales secretariat service-client serviceclient support webmaster".split()
)
_MISTYPED = frozenset(
    "gmial.com gmai.com gmal.com gamil.com gmil.com gmaill.com gnail.com gmail.fr gmail.co "
    "gmail.con hotmial.com hotmial.fr hotmal.com hotmal.fr hotmai.fr hotmail.co hotmil.fr "
    "orange.f orang.fr oragne.fr ornage.fr orange.com wanado.fr wandoo.fr wanadoo.f "
    "wanadoo.com yaho.fr yahooo.fr yhaoo.fr yahoo.f outlok.fr outlok.com outloo.fr oulook.fr "
    "laposte.fr laposte.com la-poste.net iclou.com icloud.fr icoud.com sfr.com free.com "
    "bbox.com".split()
)


class Email(NamedTuple):
    """An address fit for use, or "" ; and the codes of what was seen."""

    value: str
    codes: tuple[str, ...] = ()


def standardise_email(cell: str) -> Email:
    """Return the first address of a cell with a small domain; the local part stays as given.

    Nothing is asked from the network: whether the domain exists is not known here.
    """
    text = clean(cell)
    if not text:
        return Email("")
    if len(text) > MAX_LENGTH:
        return Email("", ("too_long",))
    candidates = [part for part in _SEPARATORS.split(_unwrapped(text)) if "@" in part]
    codes: tuple[str, ...] = ("several",) if len(candidates) > 1 else ()
    address = _valid(candidates[0].strip(" .'\"")) if candidates else ""
    if not address:
        return Email("", (*codes, "invalid"))
    local, _, domain = address.rpartition("@")
    if domain in _MISTYPED:
        codes += ("domain_typo",)
    if local.lower() in _ROLES:
        codes += ("role_address",)
    return Email(address, codes)


def _unwrapped(text: str) -> str:
    """Take the address out of `Jean Petit <jean@example.org>` and `mailto:jean@example.org`."""
    if text[-1] == ">" and (found := _WRAPPED.search(text)):
        text = found[1]
    if text[:7].lower() == "mailto:":
        text = text[7:]
    return text.replace(" @", "@").replace("@ ", "@")


def _valid(address: str) -> str:
    local, _, domain = address.rpartition("@")
    if len(local) <= 64 and _PLAIN_LOCAL.fullmatch(local):
        # Most addresses: the full check, 26 µs, is done once for each domain.
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
