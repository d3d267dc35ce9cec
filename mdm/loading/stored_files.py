"""Files people send, kept below DATA_DIR under names nobody chose, readable by us alone."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from mdm.reading import unpacking
from mdm.reading.rows import FileRefused
from mdm.reasons import Refusal

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

FOLDER = "loads"
_BLOCK = 1 << 20
STAGED = ".staged"
PREVIEWED = ".previewed"
SAMPLES = ".samples"
SAMPLED = ".sampled"
_MADE_OF_IT = (STAGED, PREVIEWED, SAMPLES, SAMPLED)


class LoadRefused(Refusal):
    """The load cannot start; the text says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A copy of a file: its path below DATA_DIR, and the name and checksum it came with."""

    path: str
    name: str
    sha256: str
    packing: str = ""

    @property
    def location(self) -> Path:
        """Where it lies on this machine."""
        return location(self.path)


def location(path: str) -> Path:
    """Return where a stored file lies."""
    return Path(settings.DATA_DIR) / path


def store(file: IO[bytes], file_name: str) -> StoredFile:
    """Copy a file, unpacked when it comes as gzip.

    Raises:
        LoadRefused: when the disk does not take it, or it is no gzip file to be trusted.
    """
    return store_blocks(iter(partial(file.read, _BLOCK), b""), file_name)


def store_blocks(blocks: Iterator[bytes], file_name: str) -> StoredFile:
    """Store what is given piece by piece. The checksum is that of the pieces as they come.

    Raises:
        LoadRefused: as `store` does.
    """
    folder = Path(settings.DATA_DIR) / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / uuid.uuid4().hex
    try:
        checksum, packing = _write(path, blocks)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise LoadRefused(
            _("The file cannot be stored: %(reason)s."), reason=error.strerror or ""
        ) from error
    except FileRefused as refusal:
        path.unlink(missing_ok=True)
        raise LoadRefused(refusal) from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    shown = "".join(letter for letter in Path(file_name).name if letter.isprintable())
    return StoredFile(f"{FOLDER}/{path.name}", shown[-255:] or "?", checksum, packing)


def _write(path: Path, blocks: Iterator[bytes]) -> tuple[str, str]:
    """Write the blocks, unpacked. Returns the checksum as they came and how they were packed."""
    digest = sha256()
    first = next(blocks, b"")
    is_gzip = first.startswith(unpacking.MAGIC)
    given = _digested(chain([first], blocks), digest)
    with path.open("xb") as target:
        path.chmod(0o600)
        for block in unpacking.unpack(given) if is_gzip else given:
            target.write(block)
    return digest.hexdigest(), "gzip" if is_gzip else ""


def _digested(blocks: Iterable[bytes], digest: "Hash") -> Iterator[bytes]:
    for block in blocks:
        digest.update(block)
        yield block


def discard(path: str) -> None:
    """Delete a stored file and all that was made of it; one that is gone is no error."""
    if path:
        for suffix in ("", *_MADE_OF_IT):
            location(path + suffix).unlink(missing_ok=True)
