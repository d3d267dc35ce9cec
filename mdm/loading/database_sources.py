"""Which database a source is read from, and by which query."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from mdm.loading.batches import find_reading
from mdm.loading.stored_files import LoadRefused


def database_of(code: str, document: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return (environment variable, query) of a source, or of the one that a mapping creates.

    Raises:
        LoadRefused: when the source is unknown, or names no database.
    """
    reading = find_reading(code, document)
    source = reading.source or reading.parsed.source
    if not source or not source.database_variable or not source.database_query.strip():
        raise LoadRefused(
            _(
                "The source “%(code)s” names no database and query: add both on its page, or in "
                "the [source] table of its first mapping."
            ),
            code=code,
        )
    return source.database_variable, source.database_query
