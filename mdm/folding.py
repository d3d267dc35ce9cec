"""Text made comparable: without accents, case or doubled blanks."""

from functools import lru_cache

from anyascii import anyascii


@lru_cache(maxsize=200_000)
def fold(text: str) -> str:
    """Return the text in lower-case ASCII with single blanks: `Œuvre  Été` → `oeuvre ete`."""
    # anyascii walks through the letters one by one.
    plain = text if text.isascii() else anyascii(text)
    return " ".join(plain.casefold().split())
