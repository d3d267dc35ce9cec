"""Which database a source is read from, and by which query."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from mdm.loading.batches import find_reading
from mdm.loading.stored_files import LoadRefused
from mdm.models import SourceSystem

_NO_DATABASE = _(
    "The source “%(code)s” names no database and query: add both on its page, or in "
    "the [source] table of its first mapping."
)


def database_of(code: str, document: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return (environment variable, query) of a source, or of the one that a mapping creates.

    Raises:
        LoadRefused: when the source is unknown, or names no database.
    """
    reading = find_reading(code, document)
    source = reading.source or reading.parsed.source
    if source is None:
        raise LoadRefused(_NO_DATABASE, code=code)
    return _named(code, source.database_variable, source.database_query)


def named_database(source: SourceSystem) -> tuple[str, str]:
    """Return (environment variable, query) of a source, whether it has a mapping or not.

    Raises:
        LoadRefused: when it names no database.
    """
    return _named(source.code, source.database_variable, source.database_query)


def _named(code: str, variable: str, query: str) -> tuple[str, str]:
    if not variable or not query.strip():
        raise LoadRefused(_NO_DATABASE, code=code)
    return variable, query
