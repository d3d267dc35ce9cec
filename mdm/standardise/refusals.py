"""Words of free texts that refuse contact: `STOP PUB`, `désinscrit le 12/03/2024`.

A text is never taken for a refusal because of them alone: a person says that a column is read so
(`by_words` of a mapping). They are chosen wide, as a refusal too many only keeps a letter back.
"""

import re
from functools import lru_cache

from mdm.standardise.text import fold

_ACTS = (
    "adresser|appel|contact|demarch|derang|ecri|email|envo|mail|prospect|publi|relanc|sollicit|"
    "telephon|call|disturb|e mail|phone|post|send|text|write"
)
_THINGS = "pub|sms|news|courri|mail|email|e mail"
_REFUSALS = (
    r"^stop$",
    rf"(?<!non )\bstop (?:(?:a|aux?|les?|la|toutes?|tous|all) )*(?:{_ACTS}|{_THINGS})",
    rf"\bne (?:\w+ )?(?:plus|pas|jamais) (?:\w+ ){{0,3}}?(?:{_ACTS})",
    rf"\bn (?:{_ACTS})\w* (?:plus|pas|jamais)\b",
    rf"\b(?:do not|don t|never) (?:\w+ ){{0,2}}?(?:{_ACTS})",
    rf"\b(?:pas|plus|no|no more) (?:de |d )?(?:{_ACTS}|{_THINGS})",
    rf"\brefus\w* (?:(?:la|le|les|toute?|de|d|etre|to|be) )*(?:{_ACTS}|{_THINGS})",
    r"\b(?:desinscri|desabonn|unsubscri|blacklist|liste noire|bloctel)",
    r"\b(?:opposition|s oppose|opt(?:ed)? out)\b",
)
_REFUSAL = re.compile("|".join(_REFUSALS))


@lru_cache(maxsize=1 << 14)
def refuses(text: str) -> bool:
    """Tell whether a text holds words that refuse contact."""
    return _REFUSAL.search(fold(text)) is not None
