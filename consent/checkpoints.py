"""Checkpoints: the head of the chain, signed, in a folder outside the database.

A chain shows every change but two: an end that was cut off, and a chain computed anew from the
start by whoever owns the database. Against both, the head is written down elsewhere and signed
(Ed25519, `consent.signing_keys`): anybody who has the public key checks the file, without
Orfèvre and without a secret; only the holder of the private key could have written it. So that
key is not in the database, and copies of the files belong with the DPO, by mail or on paper.

Files of before were signed with an HMAC-SHA-256 under `LEDGER_KEY`; they are still read.
"""

import base64
import hashlib
import hmac
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from consent.models import SealBlock
from consent.signing_keys import key_id, public_keys, signing_key
from mdm.reasons import Refusal


class CheckpointRefused(Refusal):
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


def read_checkpoint(path: Path, *, key: Ed25519PublicKey | None = None) -> Checkpoint:
    """Return the checkpoint in a file, signed by this key, or else by one of ours.

    Raises:
        CheckpointRefused: when the file cannot be read, or its signature is another's.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        signature, named = str(found.pop("signature")), str(found.pop("key", ""))
        checkpoint = Checkpoint(**found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointRefused(_("%(file)s is no checkpoint."), file=path.name) from error
    if named or key:
        is_ours = _is_signed(checkpoint, signature, key or public_keys().get(named))
    else:
        is_ours = hmac.compare_digest(signature, _hmac(checkpoint))
    if not is_ours:
        raise CheckpointRefused(
            _("The signature of %(file)s is not ours: another key, or the file was changed."),
            file=path.name,
        )
    return checkpoint


def kept_checkpoints() -> list[Path]:
    """Return the files of the folder, the oldest first."""
    return sorted(Path(settings.LEDGER_FOLDER).glob("checkpoint-*.json"))


def signed_text(checkpoint: Checkpoint) -> bytes:
    """Return the bytes that are signed: JSON without spaces, its names in alphabetical order."""
    return json.dumps(asdict(checkpoint), sort_keys=True, separators=(",", ":")).encode()


def _is_signed(checkpoint: Checkpoint, signature: str, key: Ed25519PublicKey | None) -> bool:
    if key is None:
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), signed_text(checkpoint))
    except (ValueError, InvalidSignature):
        return False
    return True


def _hmac(checkpoint: Checkpoint) -> str:
    secret = settings.LEDGER_KEY or settings.SECRET_KEY
    key = hashlib.sha256(b"orfevre ledger checkpoint\x00" + secret.encode()).digest()
    return hmac.new(key, signed_text(checkpoint), hashlib.sha256).hexdigest()


def _write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a whole file or none: complete on disk before it gets its name, then read-only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = signing_key()
    signature = base64.b64encode(key.sign(signed_text(checkpoint))).decode()
    signed = {**asdict(checkpoint), "key": key_id(key.public_key()), "signature": signature}
    content = json.dumps(signed, indent=2) + "\n"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".checkpoint-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(0o400)
    Path(name).rename(path)
