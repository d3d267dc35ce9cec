"""Checks of settings that the environment reader has none for; each says what is allowed."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from environs import ValidationError

_MAIL_SCHEMES = ("smtp", "submission", "submit", "console", "file", "memory", "dummy")


def known_time_zone(name: str) -> None:
    """Refuse a time zone that does not exist."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValidationError("Not a time zone; write one like Europe/Paris.") from error


def mail_address_of_server(url: str) -> None:
    """Refuse a URL whose scheme is none of a mail server; empty means mail to files."""
    if url and url.partition(":")[0] not in _MAIL_SCHEMES:
        raise ValidationError("Not a mail server; write smtp://USER:PASSWORD@HOST:587/?tls=True.")


def public_url(hosts: Sequence[str], *, port: int, is_secure: bool) -> str:
    """Return the address links start with when none is set: the first host's."""
    host = hosts[0] if hosts else "localhost"
    return f"https://{host}" if is_secure else f"http://{host}:{port or 8000}"
