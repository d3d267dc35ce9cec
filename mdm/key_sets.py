"""Thousands of keys as one parameter of a query.

A list of two thousand keys in an IN costs Django and the driver more time than the database. Here
the keys travel as one text, which nobody looks into on the way. `mdm.lookups` helps lists that
callers pass to `__in` all the same.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet
from django.db.models.expressions import RawSQL

_SUBQUERIES = {
    "postgresql": "SELECT unnest(%s::bigint[])",
    "sqlite": "SELECT value FROM json_each(%s)",
}
_BRACKETS = {"postgresql": "{%s}", "sqlite": "[%s]"}


class TextToCome(str):
    """Stands for the parameter that keys will be, as the number of their set."""

    __slots__ = ()


class KeysToCome(tuple[int, ...]):
    """Stands for a set of keys that a query will be asked with; see `mdm.kept_queries`."""

    __slots__ = ()

    @classmethod
    def at(cls, place: int) -> "KeysToCome":
        """Return what stands for the set of this number."""
        return cls((place,))


def key_query(keys: Iterable[int]) -> tuple[str, str]:
    """Return a subquery that gives the keys, and its one parameter."""
    return _SUBQUERIES[connection.vendor], key_text(keys)


def key_text(keys: Iterable[int]) -> str:
    """Return the keys as that parameter: an array of PostgreSQL, a JSON list for SQLite."""
    if isinstance(keys, KeysToCome):
        return TextToCome(keys[0])
    return _BRACKETS[connection.vendor] % ",".join(map(str, keys))


def key_set(keys: Iterable[int]) -> RawSQL:
    """Return an expression for the right side of an `__in` look-up."""
    subquery, listed = key_query(keys)
    return RawSQL(subquery, [listed])  # noqa: S611 - no value is put in.


def among(field: str, keys: Collection[int]) -> Q:
    """Return the condition that a field is one of the keys; a range is not written out."""
    if isinstance(keys, range):
        return Q(**{f"{field}__gte": keys.start, f"{field}__lt": keys.stop})
    return Q(**{f"{field}__in": key_set(keys)})


class AnyOf(Func):
    """The condition that a column is one of a few keys; others may stand beside it with OR.

    The database then looks into the index of each, where of subqueries it would read the table.
    """

    template = "%(expressions)s"
    output_field = BooleanField()

    def __init__(self, field: str, keys: Iterable[int]) -> None:
        subquery, listed = key_query(keys)
        is_array = connection.vendor == "postgresql"
        values = RawSQL("%s::bigint[]" if is_array else subquery, [listed])  # noqa: S611
        super().__init__(F(field), values, arg_joiner=" = ANY " if is_array else " IN ")


def key_ranges(rows: "QuerySet[Any, Any]", size: int) -> Iterator[range]:
    """Yield ranges that together hold every key of the rows, each of at most `size` of them."""
    after = 0
    while keys := list(
        rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:size]
    ):
        yield range(after + 1, keys[-1] + 1)
        after = keys[-1]
