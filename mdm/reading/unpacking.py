"""Unpacking gzip while a file is stored, within bounds: a small file can unfold to terabytes."""

import zlib
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext_lazy as _

from mdm.reading.rows import FileRefused

MAGIC = b"\x1f\x8b"
MAX_UNPACKED_BYTES = 4 << 30
# Tables of customers shrink to a fifth or a tenth; the best packed one seen to a thirtieth.
MAX_RATIO = 100
_FREE_BYTES = 16 << 20  # Small enough to be harmless at any ratio.
_STEP = 1 << 20
_GZIP = 31  # zlib's number for "with the header of gzip".


def unpack(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what the blocks of a gzip file hold, never much at once.

    Raises:
        FileRefused: when it unfolds to too much, is cut off or damaged.
    """
    packed_count = unpacked_count = 0
    try:
        for count, block in _members(blocks):
            packed_count += count
            unpacked_count += len(block)
            if unpacked_count > MAX_UNPACKED_BYTES or (
                unpacked_count > _FREE_BYTES and unpacked_count > packed_count * MAX_RATIO
            ):
                raise FileRefused(
                    _("The gzip file is too large when unpacked: split it, or send it unpacked.")
                )
            if block:
                yield block
    except zlib.error:
        raise FileRefused(_("The gzip file is damaged: send it again.")) from None


def _members(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield (packed bytes taken, unpacked bytes); several gzip files may follow each other."""
    inflate = zlib.decompressobj(_GZIP)
    for block in blocks:
        count, rest = len(block), block
        while rest:
            if inflate.eof:
                rest = rest.lstrip(b"\0")  # Tapes are padded.
                if not rest:
                    break
                inflate = zlib.decompressobj(_GZIP)
            yield count, inflate.decompress(rest, _STEP)
            count, rest = 0, inflate.unconsumed_tail or inflate.unused_data
    while not inflate.eof:
        block = inflate.decompress(inflate.unconsumed_tail, _STEP)
        if not block:
            raise FileRefused(_("The gzip file is cut off: send it again."))
        yield 0, block
