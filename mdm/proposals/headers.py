"""How systems name their columns, as attributes of a mapping."""

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
_LONGEST_NAME = max(map(len, _OF_NAME)) + 4
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
    "port": "phone",
    "dom": "phone",
    "mob": "phone",
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
    ("phone", re.compile(
        r"\b(?:tel|telephon(?:e|er|ique)|phone|call(?:s|ing)?|appel(?:s|er)?|demarch(?:age|er)|bloctel)\b"
    )),
)  # fmt: skip
_LEFT = re.compile(
    r"\b(?:opt ?out|opted ?out|stop|unsubscribed?|desinscrit|desinscription|desabonne|"
    r"blacklist(?:ed)?|do not (?:contact|call|mail|email)|"
    r"ne (?:pas|plus) (?:contacter|appeler|telephoner|demarcher|solliciter)|refus|oppose|"
    r"opposition|bloctel|robinson|liste noire)\b"
)
_EVERYWHERE = re.compile(r"\b(?:contact|contacter|solliciter|stop|opposition|oppose)\b")
# A permission to be written to, whatever else stands beside it.
_SUBSCRIBED = re.compile(
    r"\b(?:opt ?in|opt(?= (?:sms|e ?mail|mail|tel|courrier))|newsletters?|nl|infolettre)\b"
)
# A yes to anything: parents allow an outing, somebody accepts terms of sale, or has paid (O/N).
_ALLOWED = re.compile(
    r"\b(?:accords?|consents?|consentement|autorisation|autorise|accepte|acceptation|accepts?|ok|"
    r"permission|abonne|subscribed)\b|\b(?:o n|oui non|y n|yes no)$"
)
_FOR_ADVERTISING = re.compile(
    r"\b(?:marketing|prospection|publicite|pub|promos?|promotions?|promotional|commerciales?|"
    r"offres?|offers?|communications?|sollicitations?|contact|contacter|contacted)\b"
)
# What somebody allows to others, of which no permission of this company follows.
_OF_OTHERS = re.compile(
    r"\b(?:partenaires?|partners?|tiers|third part(?:y|ies)|sponsors?|affili(?:es?|ates?))\b"
)
_FILLING = frozenset(
    "a au aux de des du d et la le les l par pour of to the by for client customer date donne"
    " given explicite explicit clair j i".split()
)
# Nested JSON in which `sms` is no number but what may be sent there.
_ASKED = re.compile(
    r"\b(?:marketing|communications?|preferences?|subscriptions?|abonnements?|prospection)$"
)
# Columns of somebody else, or of no use for anybody, that look like those of the customer.
_OF_ANOTHER = re.compile(
    r"\b(?:fax|telecopie|telefax|ip|owner|proprietaire|vendeu(?:r|se)|conseiller|sales ?rep|"
    r"sales ?person|account manager|(?:created|modified|updated) by|(?:cree|modifie) par|parrain|"
    r"referrer|conjoint|spouse|urgence|emergency|magasin|store)\b|(?<!nom )\bcommercial\b"
)
# Words that say whose an address is or where it comes from, and nothing about what it is.
_QUALIFIERS = frozenset(
    "client customer contact adherent abonne membre member user utilisateur account mailing"
    " billing shipping default primary principal principale main home domicile personal perso"
    " personnel pro professionnel work participant payeur facturation livraison invoice delivery"
    " value 1 du de la le l d des the of number".split()
)
_OF_ADDRESSES = frozenset({"address", "adresse", "adr"})
_NUMERO = re.compile(r"\bn\s?[°º]\s?", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*\([^)]*\)")
_KEY = re.compile(r"\b(?:id|identifiant)$|^(?:id|num|numero|no|code|ref|reference) (?:du )?\w+$")


def meaning_of(name: str) -> Meaning | None:
    """Return what a column's name says, or None when it says nothing known."""
    name = _NUMERO.sub("numero ", name)
    return (
        _said_by(name)
        or _said_by(_BRACKETS.sub("", name))
        or _said_inside(name)
        or _said_among_qualifiers(name)
    )


def is_known_name(text: str) -> bool:
    """Tell whether a text is, word for word, a name that columns usually have."""
    return len(text) <= _LONGEST_NAME and _words(text) in _OF_NAME


def is_of_another(name: str) -> bool:
    """Tell whether a column is about somebody else, whatever its values look like."""
    return bool(_OF_ANOTHER.search(_words(name)))


def is_bare_number(name: str) -> bool:
    """Tell whether a column is called "number" and nothing else."""
    return _words(_NUMERO.sub("numero ", name)) in {"numero", "num", "no", "n", "nr", "number"}


def _said_inside(path: str) -> Meaning | None:
    """Read `address.city` of nested JSON by its last name, where that means one thing anywhere.

    `marketing.sms` is a permission.
    """
    outer, dot, inner = path.rpartition(".")
    if _ASKED.search(_words(outer)) and (channel := _channel(_words(inner))):
        return Meaning("permission", 2, channel)
    meaning = _said_by(inner) if dot else None
    return meaning if meaning and meaning.attribute in _ANYWHERE else None


def _said_among_qualifiers(name: str) -> Meaning | None:
    """Read `Default Address City` and `téléphone du client` by what is left of them."""
    words = _words(name).split()
    # What stands behind "billing" says "billing address 2"; "city" says "default address city".
    for qualifiers in (_QUALIFIERS, _QUALIFIERS | _OF_ADDRESSES):
        left = [word for word in words if word not in qualifiers]
        attribute = _OF_NAME.get(" ".join(left)) if len(left) < len(words) else None
        if attribute in _ANYWHERE and left not in (["first"], ["last"]):
            return Meaning(attribute, 2)
    return None


def _words(name: str) -> str:
    return fold(_split_camel(name))


def _said_by(name: str) -> Meaning | None:
    folded = _words(name)
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
    if _allows_advertising(folded):
        return Meaning("permission", 2, _channel(folded) or "email")
    return None


def _allows_advertising(folded: str) -> bool:
    """Tell whether a name speaks of a permission to advertise, given to this company."""
    if _OF_OTHERS.search(folded):
        return False
    if _SUBSCRIBED.search(folded):
        return True
    rest = _ALLOWED.sub(" ", folded)
    if rest == folded:
        return False
    is_alone = not set(rest.split()) - _FILLING
    return is_alone or bool(_channel(folded) or _FOR_ADVERTISING.search(rest))


def _channel(folded: str) -> str:
    return next((channel for channel, words in _CHANNELS if words.search(folded)), "")


def _split_camel(name: str) -> str:
    """Read `dateNaissance` as two words; `EMAIL` and `iPhone` stay."""
    return re.sub(r"(?<=[a-z][a-z]|[A-Z][a-z])(?=[A-Z][a-z])", " ", name)
