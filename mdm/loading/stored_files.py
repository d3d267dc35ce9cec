"""Files people send, kept below DATA_DIR under names nobody chose, readable by us alone."""

import uuid
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

_FOLDER = "loads"
_BLOCK = 1 << 20
STAGED = ".staged"
PREVIEWED = ".previewed"
SAMPLES = ".samples"
_MADE_OF_IT = (STAGED, PREVIEWED, SAMPLES)


class LoadRefused(Exception):
    """The load cannot start; the text says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A copy of a file: its path below DATA_DIR, and the name it came with."""

    path: str
    name: str
    sha256: str

    @property
    def location(self) -> Path:
        """Where it lies on this machine."""
        return location(self.path)


def location(path: str) -> Path:
    """Return where a stored file lies."""
    return Path(settings.DATA_DIR) / path


def store(file: IO[bytes], file_name: str) -> StoredFile:
    """Copy a file.

    Raises:
        LoadRefused: when the disk does not take it.
    """
    folder = Path(settings.DATA_DIR) / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / uuid.uuid4().hex
    digest = sha256()
    try:
        with path.open("xb") as target:
            path.chmod(0o600)
            while block := file.read(_BLOCK):
                digest.update(block)
                target.write(block)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise LoadRefused(
            _("The file cannot be stored: %(reason)s.") % {"reason": error.strerror or ""}
        ) from error
    shown = "".join(letter for letter in Path(file_name).name if letter.isprintable())
    return StoredFile(f"{_FOLDER}/{path.name}", shown[-255:] or "?", digest.hexdigest())


def discard(path: str) -> None:
    """Delete a stored file and all that was made of it; one that is gone is no error."""
    if path:
        for suffix in ("", *_MADE_OF_IT):
            location(path + suffix).unlink(missing_ok=True)
