"""Tokens of confirmation mails: 256 random bits, in the mail alone; we keep their hash."""

import hashlib
import secrets

from consent.models import OptInRequest


def issue_token(request: OptInRequest) -> str:
    """Return a new token for a request; an earlier one of it ends."""
    token = secrets.token_urlsafe(32)
    OptInRequest.objects.filter(pk=request.pk).update(token_hash=token_hash(token))
    return token


def token_hash(token: str) -> str:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
