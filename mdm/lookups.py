"""`__in` with long lists: the list travels as one parameter instead of thousands.

Chunks of loads and match runs ask for thousands of keys at a time. Building, splitting and
planning a statement with as many placeholders cost a quarter of a load's time on PostgreSQL, and
SQLite limits their number. Nothing changes for short lists or subqueries.
"""

import json
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, ForeignObject
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler

_SHORT = 50


class _LongList:
    """How each database takes a list as one parameter."""

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, Any]:
        """Compare with the elements of an array."""
        values = self._long_values()
        if values is None:
            return self.as_sql(compiler, connection)  # type: ignore[attr-defined, no-any-return]
        left, parameters = self.process_lhs(compiler, connection)  # type: ignore[attr-defined]
        return f"{left} = ANY(%s)", [*parameters, values]

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        """Compare with the elements of a JSON array."""
        values = self._long_values()
        if values is None:
            return self.as_sql(compiler, connection)  # type: ignore[attr-defined, no-any-return]
        left, parameters = self.process_lhs(compiler, connection)  # type: ignore[attr-defined]
        listed = json.dumps(values, ensure_ascii=False)
        return f"{left} IN (SELECT value FROM json_each(%s))", [*parameters, listed]  # noqa: S608

    def _long_values(self) -> list[int] | list[str] | None:
        """Return the values when they are many, and plain numbers or plain texts."""
        values = self.rhs  # type: ignore[attr-defined]
        if not isinstance(values, list | tuple | set | frozenset) or len(values) <= _SHORT:
            return None
        kinds = set(map(type, values))
        return list(values) if kinds in ({int}, {str}) else None


class LongIn(_LongList, In):
    """`field__in=[…]`."""


class LongRelatedIn(_LongList, RelatedIn):
    """`relation__in=[…]`."""


def register() -> None:
    """Put these lookups in the place of Django's."""
    Field.register_lookup(LongIn)
    ForeignObject.register_lookup(LongRelatedIn)
