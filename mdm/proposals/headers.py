"""How French and English systems name their columns, as attributes of a mapping."""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from mdm.standardise.text import fold


class Meaning(NamedTuple):
    """What the name of a column says: the attribute, the channel of a permission, how surely.

    `weight` is 3 for a name with one meaning, 2 for a usual one, 1 for a hint that the values
    must bear out.
    """

    attribute: str
    weight: int
    channel: str = ""


_OF_NAME = {
    name: attribute
    for attribute, names in tomllib.loads(
        (Path(__file__).parent / "headers.toml").read_text(encoding="utf-8")
    ).items()
    for name in names
}
# Names that other things have too: the values decide.
_HINTS = {
    "titre": "civility",
    "title": "civility",
    "client": "full_name",
    "contact": "full_name",
    "customer": "full_name",
    "nom client complet": "full_name",
    "adherent": "full_name",
    "numero": "source_key",
    "num": "source_key",
    "code": "source_key",
}
# Of a person whatever they stand in; an id or a date of something nested is not hers.
_ANYWHERE = frozenset(
    "civility given_name family_name birth_name birth_date email phone street_number street"
    " address_line address_complement postcode city country".split()
)
_CHANNELS = (
    ("sms", re.compile(r"\b(?:sms|textos?|text messages?)\b")),
    ("post", re.compile(r"\b(?:courriers?|post|postal|poste|mailing|direct mail|dm|letter)\b")),
    ("email", re.compile(r"\b(?:e ?mails?|courriels?|mails?|newsletters?|nl|emailing)\b")),
    ("phone", re.compile(r"\b(?:tel|telephone|phone|calls?|appels?|demarchage|bloctel)\b")),
)  # fmt: skip
_LEFT = re.compile(
    r"\b(?:opt ?out|stop|unsubscribed?|desinscrit|desinscription|desabonne|blacklist(?:ed)?|"
    r"do not (?:contact|call|mail|email)|ne pas (?:contacter|appeler|solliciter)|refus|oppose|"
    r"opposition|bloctel|robinson|liste noire)\b"
)
_EVERYWHERE = re.compile(r"\b(?:contact|contacter|solliciter|stop|opposition|oppose)\b")
_ALLOWED = re.compile(
    r"\b(?:opt ?in|accords?|consents?|consentement|autorisation|autorise|accepte|acceptation|"
    r"newsletters?|abonne|subscribed|ok|permission|infolettre)\b|\b(?:o n|oui non|y n|yes no)$"
)
_NUMERO = re.compile(r"\bn\s?[°º]\s?", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*\([^)]*\)")
_KEY = re.compile(r"\b(?:id|identifiant)$|^(?:id|num|numero|no|code|ref|reference) (?:du )?\w+$")


def meaning_of(name: str) -> Meaning | None:
    """Return what a column's name says, or None when it says nothing known."""
    name = _NUMERO.sub("numero ", name)
    return _said_by(name) or _said_by(_BRACKETS.sub("", name)) or _said_inside(name)


def _said_inside(path: str) -> Meaning | None:
    """Read `address.city` of nested JSON by its last name, where that means one thing anywhere."""
    _outer, dot, inner = path.rpartition(".")
    meaning = _said_by(inner) if dot else None
    return meaning if meaning and meaning.attribute in _ANYWHERE else None


def _said_by(name: str) -> Meaning | None:
    folded = fold(_split_camel(name))
    if attribute := _OF_NAME.get(folded):
        channel = _channel(folded) or "email" if attribute == "opt_out_at" else ""
        return Meaning(attribute, 3, channel)
    if permission := _permission(folded):
        return permission
    if attribute := _HINTS.get(folded):
        return Meaning(attribute, 1)
    if _KEY.search(folded):
        return Meaning("source_key", 2)
    return None


def _permission(folded: str) -> Meaning | None:
    if _LEFT.search(folded):
        everywhere = "*" if _EVERYWHERE.search(folded) else "email"
        return Meaning("opt_out", 2, _channel(folded) or everywhere)
    if _ALLOWED.search(folded):
        return Meaning("permission", 2, _channel(folded) or "email")
    return None


def _channel(folded: str) -> str:
    return next((channel for channel, words in _CHANNELS if words.search(folded)), "")


def _split_camel(name: str) -> str:
    """Read `dateNaissance` as two words; `EMAIL` and `iPhone` stay."""
    return re.sub(r"(?<=[a-z]{2})(?=[A-Z][a-z])", " ", name)
