"""Instants that a database wrote as text: quicker to read than what an ORM makes of them."""

from datetime import UTC, datetime


def instant_of(text: str) -> datetime:
    """Read an instant in ISO 8601. SQLite holds instants in UTC without saying so."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
