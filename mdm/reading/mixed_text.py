"""A codec for files in which UTF-8 and Windows-1252 stand side by side.

Such files come from joining two exports, or from a system that keeps what it is sent. What is
sound UTF-8 is read as UTF-8, every other byte as Windows-1252.
"""

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

NAME = "utf8_or_cp1252"


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are no UTF-8; a byte that Windows-1252 lacks remains an error."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    try:
        return error.object[error.start : error.end].decode("cp1252"), error.end
    except UnicodeDecodeError:
        raise error from None


class _Decoder(codecs.BufferedIncrementalDecoder):
    def _buffer_decode(
        self,
        input: "ReadableBuffer",
        errors: str,
        final: bool,  # noqa: FBT001  (the signature is Python's)
    ) -> tuple[str, int]:
        return codecs.utf_8_decode(input, NAME, final)


def _decode(content: "ReadableBuffer", errors: str = "strict", /) -> tuple[str, int]:
    return codecs.utf_8_decode(content, NAME, True)  # noqa: FBT003


def _find(name: str) -> codecs.CodecInfo | None:
    if name != NAME:
        return None
    return codecs.CodecInfo(codecs.utf_8_encode, _decode, incrementaldecoder=_Decoder, name=NAME)


codecs.register_error(NAME, _as_cp1252)
codecs.register(_find)
