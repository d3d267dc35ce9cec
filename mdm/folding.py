"""Text made comparable: without accents, case or doubled blanks."""

from functools import lru_cache

from anyascii import anyascii


def fold(text: str) -> str:
    """Return the text in lower-case ASCII with single blanks: `Œuvre  Été` → `oeuvre ete`."""
    if text.isascii():  # Folded in less time than it takes to remember it.
        return " ".join(text.lower().split())
    return _fold(text)


@lru_cache(maxsize=200_000)
def _fold(text: str) -> str:
    return " ".join(text.translate(_written_in_ascii).lower().split())


class _WrittenInAscii(dict[int, str]):
    """Each character in ASCII: anyascii, slow by the million, is asked where it first comes."""

    def __missing__(self, character: int) -> str:
        self[character] = written = anyascii(chr(character))
        return written


_written_in_ascii = _WrittenInAscii()
