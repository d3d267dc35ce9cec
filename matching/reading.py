"""Read rows about many records in queries of bounded size."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from mdm.kept_queries import kept
from mdm.key_sets import AnyOf, among

KEYS_PER_QUERY = 20_000
"""What is read at once stays small, whatever a run asks for."""

_FEW_RECORDS = 200

Item = TypeVar("Item")
Row = TypeVar("Row", bound=tuple[Any, ...])


def in_chunks(items: Sequence[Item], size: int = KEYS_PER_QUERY) -> Iterator[Sequence[Item]]:
    """Yield the items in slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def rows_of(rows: "QuerySet[Any, Row]", field: str, keys: Iterable[int] | None) -> Iterator[Row]:
    """Yield the rows whose `field` is one of the keys; None for all rows."""
    if keys is None:
        yield from rows.iterator(chunk_size=10_000)
        return
    for chunk in in_chunks(sorted(keys)):
        yield from rows.filter(among(field, chunk))


def kept_pairs(
    rows: "Callable[[], QuerySet[Any, Row]]",
) -> Callable[[Iterable[int]], Iterator[Row]]:
    """Return a function that yields each of these rows once whose pair has one of some records.

    It asks as `pairs_touching` does; for few records the query is put together once.
    """

    @kept
    def of_few(record_ids: Collection[int]) -> "QuerySet[Any, Row]":
        touching = Q(AnyOf("left", record_ids)) | Q(AnyOf("right", record_ids))
        return rows().filter(touching)

    def touching(record_ids: Iterable[int]) -> Iterator[Row]:
        inside = set(record_ids)
        if len(inside) > _FEW_RECORDS:
            return pairs_touching(rows(), inside)
        return iter(of_few(inside) if inside else ())

    return touching


def pairs_touching(rows: "QuerySet[Any, Row]", record_ids: Iterable[int]) -> Iterator[Row]:
    """Yield each row once whose pair has at least one of the records.

    Args:
        rows: tuples that start with the left and the right record.
        record_ids: the records.
    """
    inside = set(record_ids)
    if len(inside) <= _FEW_RECORDS:  # Of a click: one query, in which both indexes are used.
        if inside:
            yield from rows.filter(Q(left__in=inside) | Q(right__in=inside))
        return
    for row in rows_of(rows, "left", inside):
        yield row
    for row in rows_of(rows, "right", inside):
        if row[0] not in inside:
            yield row
