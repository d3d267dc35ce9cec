"""Why something was done, kept so that everybody reads it in their own language.

A worker, a colleague and a command speak different languages. What the machine gives as a reason
is therefore stored as its English words and their values; what a person typed, as she typed it.
"""

import json
from typing import Any

from django.db import models
from django.utils.translation import gettext, override

LETTERS = 100
"""The longest reason that an act keeps."""


def reason_of(message: object, **values: object) -> str:
    """Return a reason as it is stored: a message marked by `gettext_noop`, or a lazy one.

    Values that are lazy translations are translated for each reader, too.
    """
    with override(None):
        told = {name: x if isinstance(x, int) else str(x) for name, x in values.items()}
        stored = json.dumps([str(message), told], ensure_ascii=False, separators=(",", ":"))
    return stored if len(stored) <= LETTERS else in_words(stored)[:LETTERS]


def in_words(stored: str) -> str:
    """Return a stored reason in the present language; what a person typed stays as it is."""
    if not stored.startswith('["'):
        return stored
    try:
        message, values = json.loads(stored)
        return gettext(message) % {name: _translated(value) for name, value in values.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return stored


def _translated(value: Any) -> Any:
    return gettext(value) if value and isinstance(value, str) else value


class _Reasons:
    """What columns of reasons have in common: whoever reads a row gets them in words."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """Translate what the machine gave as its reason."""
        return in_words(value) if value else value


class ReasonField(_Reasons, models.CharField[str, str]):
    """A column of reasons; to the database a column of text, without a migration of its own."""

    def deconstruct(self) -> Any:
        """Say what the database sees."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options


class ReasonText(_Reasons, models.TextField[str | None, str | None]):
    """The same where histories keep them, of any length."""

    def deconstruct(self) -> Any:
        """Say what the database sees."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.TextField", arguments, options
