"""Why something was done, kept so that everybody reads it in their own language.

A worker, a colleague and a command speak different languages. What the machine gives as a reason
is therefore stored as its English words and their values; what a person typed, as she typed it.
The same for why a job refuses its work.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext, override

LETTERS = 100
"""The longest reason that an act keeps."""


def reason_of(message: object, **values: object) -> str:
    """Return a reason as it is stored: a message marked by `gettext_noop`, or a lazy one.

    Lazy translations, lists of texts and refusals among the values are translated for each reader.
    """
    stored = _stored(message, values)
    return stored if len(stored) <= LETTERS else in_words(stored)[:LETTERS]


class Refusal(Exception):
    """Why something cannot be done: in words for who asked, as it is stored for everybody else.

    The message is lazy, with its values beside it, or another refusal that is passed on. Text that
    is neither stays in the language it has.
    """

    def __init__(self, message: object, **values: object) -> None:
        """Take the message and its values apart from each other."""
        super().__init__(message, values)
        self.stored = str(message)
        if isinstance(message, Refusal):
            self.stored = message.stored
        elif values or isinstance(message, Promise):
            self.stored = _stored(message, values)

    def __str__(self) -> str:
        """Return the refusal in the present language."""
        return in_words(self.stored)


def _stored(message: object, values: Mapping[str, object]) -> str:
    with override(None):
        told = {name: _told(value) for name, value in values.items()}
        return json.dumps([str(message), told], ensure_ascii=False, separators=(",", ":"))


def in_words(stored: str) -> str:
    """Return a stored reason in the present language; what a person typed stays as it is."""
    if not stored.startswith('["'):
        return stored
    try:
        message, values = json.loads(stored)
        return gettext(message) % {name: _translated(value) for name, value in values.items()}
    except (ValueError, TypeError, LookupError, AttributeError):
        return stored


def _told(value: object) -> int | str | list[str]:
    """Return a value as it is stored: the texts of a list are translated for each reader."""
    if isinstance(value, Promise):
        return [str(value)]
    if isinstance(value, Refusal):
        return [value.stored]
    if isinstance(value, list):
        return [str(part) for part in value]
    return value if isinstance(value, int) else str(value)


def _translated(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return ", ".join(in_words(part) if part.startswith('["') else gettext(part) for part in value)


class _Reasons:
    """What columns of reasons have in common: whoever reads a row gets them in words."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """Translate what the machine gave as its reason."""
        return in_words(value) if value else value


class ReasonField(_Reasons, models.CharField[str, str]):
    """A column of reasons; to the database a column of text, without a migration of its own."""

    def deconstruct(self) -> Any:
        """Say what the database sees."""
        return _plain(super().deconstruct(), models.CharField)


class ReasonText(_Reasons, models.TextField[str | None, str | None]):
    """The same where histories keep them, of any length."""

    def deconstruct(self) -> Any:
        """Say what the database sees."""
        return _plain(super().deconstruct(), models.TextField)


class RefusalText(_Reasons, models.TextField[str, str]):
    """The same for refusals; empty where nothing was refused."""

    def deconstruct(self) -> Any:
        """Say what the database sees."""
        return _plain(super().deconstruct(), models.TextField)


def _plain(deconstructed: Any, column: type[models.Field[Any, Any]]) -> Any:
    name, _path, arguments, options = deconstructed
    return name, f"django.db.models.{column.__name__}", arguments, options
