"""Text as people type it, made regular: white space, invisible characters, words to compare."""

import re
import unicodedata
from functools import lru_cache

from mdm import folding

# Control, zero-width, bidi and surrogate characters are never part of a name.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ufffe\uffff]"
)
_APOSTROPHE = re.compile("[\u2019\u2018\u02bc\u00b4\u0060]")
_ALPHANUMERIC = {n: chr(n) if chr(n).isalnum() else " " for n in range(128)}


def clean(value: str) -> str:
    """Return the value in NFC with single blanks and without invisible characters."""
    if not value.isprintable():  # As everything invisible is.
        value = _INVISIBLE.sub("", value)
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
        value = _APOSTROPHE.sub("'", value)
    elif "`" in value:
        value = value.replace("`", "'")
    return " ".join(value.split())


def fold_once(value: str) -> str:
    """Fold what hardly comes again, such as an address: nothing is remembered, see `fold`."""
    return " ".join(folding.fold(value).translate(_ALPHANUMERIC).split())


@lru_cache(maxsize=1 << 15)
def fold(value: str) -> str:
    """Return small ASCII letters and digits, words apart by one blank: `N'Guyên` → `n guyen`."""
    return fold_once(value)
