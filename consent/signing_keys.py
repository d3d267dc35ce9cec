"""The key pair that signs checkpoints (Ed25519, RFC 8032), in files outside the database.

The private key is made when it is first needed, for its owner's eyes alone, and lies where no
database reaches: `LEDGER_SIGNING_KEY`. Beside it lie the public keys, the present one and those
of keys that were retired, each under its id. With a public key anybody checks a checkpoint, and
nobody can make one.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings

_ID_DIGITS = 16


class KeyRefused(Exception):
    """A file holds no Ed25519 key; the text names the file."""


def signing_key() -> Ed25519PrivateKey:
    """Return the private key, made now when there is none yet.

    Raises:
        KeyRefused: when the file is no private key of this kind.
    """
    path = _path()
    if not path.exists():
        _write(path, _private_pem(Ed25519PrivateKey.generate()), mode=0o600)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise KeyRefused(path.name) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(path.name)
    public = key.public_key()
    shown = path.parent / f"{key_id(public)}.pub.pem"
    if not shown.exists():
        _write(shown, pem_of(public).encode(), mode=0o644)
    return key


def rotate() -> str:
    """Replace the private key by a new one and return its id; the old public key stays."""
    signing_key()
    path = _path()
    path.unlink()
    return key_id(signing_key().public_key())


def public_keys() -> dict[str, Ed25519PublicKey]:
    """Return the public keys by their ids: of the present key and of those retired."""
    keys = [read_public_key(path) for path in sorted(_path().parent.glob("*.pub.pem"))]
    return {key_id(key): key for key in keys}


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Return the public key in a PEM file.

    Raises:
        KeyRefused: when it holds none of this kind.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyRefused(path.name) from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyRefused(path.name)
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Return what names a key: the first digits of the SHA-256 of its 32 bytes."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:_ID_DIGITS]


def pem_of(key: Ed25519PublicKey) -> str:
    """Return a public key as text, as openssl reads it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _path() -> Path:
    return Path(settings.LEDGER_SIGNING_KEY)


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a whole file or none; of two that write at once, the first one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
