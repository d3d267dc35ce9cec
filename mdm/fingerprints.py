"""Keyed fingerprints: who has a value can ask whether it is meant, and nobody can read it back.

The keys stand in the settings and not in the database. Each purpose has keys of its own, so the
same value has another fingerprint for each; a key is known by an id, so that it can be replaced.
"""

import hashlib
import hmac
from functools import lru_cache

from django.conf import settings


def fingerprint_keys(purpose: str) -> list[tuple[str, bytes]]:
    """Return the keys of a purpose with their ids, the one that writes first."""
    secrets = settings.SUPPRESSION_KEYS or [settings.SECRET_KEY]
    return [_derived(purpose, secret) for secret in secrets]


def fingerprint_of(key: bytes, text: str) -> str:
    """Return the HMAC-SHA-256 of a text."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=16)
def _derived(purpose: str, secret: str) -> tuple[str, bytes]:
    key = hashlib.sha256(f"orfevre.{purpose}\x00{secret}".encode()).digest()
    return hashlib.sha256(b"id\x00" + key).hexdigest()[:8], key
