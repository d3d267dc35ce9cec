"""Checkpoints: the head of the chain, signed, in a folder outside the database.

A chain shows every change but two: an end that was cut off, and a chain computed anew from the
start by whoever owns the database. Against both, the head is written down elsewhere. The
signature is an HMAC-SHA-256 under `LEDGER_KEY`: it proves that the file was written by somebody
who holds the key and was not changed since. It is no proof against the holder of the key, so
the key is not in the database, and copies of the files belong with the DPO, by mail or on paper.
"""

import hashlib
import hmac
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from consent.models import SealBlock


class CheckpointRefused(Exception):
    """The file is no checkpoint of ours; the text says why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the chain at one block: its number, last place, hash (hex) and moment."""

    block: int
    last: int
    hash: str
    sealed_at: str


def write_checkpoint() -> Path | None:
    """Write the present head into the folder, once for each block; None for an empty ledger."""
    block = SealBlock.objects.order_by("-number").first()
    if block is None:
        return None
    path = Path(settings.LEDGER_FOLDER) / f"checkpoint-{block.number:010d}.json"
    if not path.exists():
        _write(path, checkpoint_of(block))
    return path


def checkpoint_of(block: SealBlock) -> Checkpoint:
    """Return the checkpoint of a block."""
    moment = block.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
    return Checkpoint(block.number, block.last, bytes(block.hash).hex(), moment)


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in a file.

    Raises:
        CheckpointRefused: when the file cannot be read, or its signature is not ours.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        signature = found.pop("signature")
        checkpoint = Checkpoint(**found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointRefused(_("%(file)s is no checkpoint.") % {"file": path.name}) from error
    if not hmac.compare_digest(str(signature), sign(checkpoint)):
        raise CheckpointRefused(
            _("The signature of %(file)s is not ours: another key, or the file was changed.")
            % {"file": path.name}
        )
    return checkpoint


def kept_checkpoints() -> list[Path]:
    """Return the files of the folder, the oldest first."""
    return sorted(Path(settings.LEDGER_FOLDER).glob("checkpoint-*.json"))


def sign(checkpoint: Checkpoint) -> str:
    """Return the signature of a checkpoint, in hexadecimal."""
    text = json.dumps(asdict(checkpoint), sort_keys=True, separators=(",", ":"))
    return hmac.new(_key(), text.encode(), hashlib.sha256).hexdigest()


def _key() -> bytes:
    secret = settings.LEDGER_KEY or settings.SECRET_KEY
    return hashlib.sha256(b"orfevre ledger checkpoint\x00" + secret.encode()).digest()


def _write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a whole file or none: complete on disk before it gets its name, then read-only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = json.dumps({**asdict(checkpoint), "signature": sign(checkpoint)}, indent=2) + "\n"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".checkpoint-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(0o400)
    Path(name).rename(path)
