"""Gzip is unpacked as it comes, and never to more than a customer file can be."""

import gzip
import random
from collections.abc import Iterator

import pytest

from mdm.reading import unpacking
from mdm.reading.rows import FileRefused


def blocks(content: bytes, size: int = 1000) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def unpacked(content: bytes) -> bytes:
    return b"".join(unpacking.unpack(blocks(content)))


def test_what_was_packed_comes_back():
    text = b"".join(b"%d;nom%d\n" % (n, n) for n in range(200_000))

    assert unpacked(gzip.compress(text)) == text
    assert unpacked(gzip.compress(text[:100]) + gzip.compress(text[100:]) + b"\0" * 9) == text


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"id;nom\n" * 1000)[:-20],
        gzip.compress(b"id;nom\n" * 1000)[:12],
        b"\x1f\x8bnothing of the kind",
        gzip.compress(b"id;nom\n") + b"more",
        gzip.compress(b"id;nom\n")[:-8] + b"\0" * 8,
    ],
    ids=["cut off", "header only", "no gzip", "text behind", "wrong checksum"],
)
def test_a_damaged_file_is_refused(content):
    with pytest.raises(FileRefused):
        unpacked(content)


def test_a_bomb_is_refused_before_it_unfolds():
    bomb = gzip.compress(bytes(300_000_000), compresslevel=9)
    taken: list[int] = []

    with pytest.raises(FileRefused):
        taken.extend(len(block) for block in unpacking.unpack(blocks(bomb, 1 << 20)))

    assert sum(taken) < 40_000_000


def test_no_file_unfolds_beyond_the_limit(monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 1_000_000)

    with pytest.raises(FileRefused):
        unpacked(gzip.compress(random.Random(1).randbytes(1_100_000)))
