"""Who changed what, and why: one audit trail for pages, commands and workers.

Interactive changes are recorded by simple-history when a model is saved. Bulk changes bypass
`save()`, so whoever writes in bulk calls `record_history` with the keys it touched, in the same
transaction. Both read the actor and the reason from `acting_as`.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from django.contrib.auth.models import User
from django.db import connection, models
from django.utils.timezone import now
from simple_history.models import HistoricalRecords

from mdm.behind import execute
from mdm.key_sets import key_query
from mdm.reasons import ReasonText


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts (None is the machine itself) and the reason that goes into the history.

    What happens inside one act, acts within it included, shares the correlation.
    """

    user: User | None
    reason: str
    correlation: uuid.UUID = field(default_factory=uuid.uuid4)


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting_as(
    user: User | None, reason: str, *, correlation: uuid.UUID | None = None
) -> Iterator[None]:
    """Record every change made inside the block as done by `user` for `reason`.

    `correlation`: of an act that several attempts carry out.
    """
    outer = _actor.get()
    shared = outer.correlation if outer else correlation
    actor = Actor(user, reason, shared) if shared else Actor(user, reason)
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def present_actor() -> Actor | None:
    """Return who acts now, None outside of `acting_as`."""
    return _actor.get()


class AuditTrail(HistoricalRecords):
    """simple-history that takes actor and reason from `acting_as`, in web and worker alike.

    The history keeps a user's key without a database constraint: deleting an account must not
    rewrite what it did.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("user_db_constraint", False)
        options.setdefault("history_change_reason_field", ReasonText(null=True))
        super().__init__(**options)

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """Copy the fields of a model, without indexes but for the key that histories are read by.

        Loads write a history row for every row they write: the indexes that simple-history copies
        along cost more than the rows themselves, and nothing looked into them.
        """
        fields: dict[str, Any] = super().copy_fields(model)
        for name, column in fields.items():
            column.db_index = name == model._meta.pk.name
        return fields

    def get_extra_fields(self, model: type[models.Model], fields: Any) -> dict[str, Any]:
        """Add who, when and why, without an index on who: nothing is looked for by it."""
        extra: dict[str, Any] = super().get_extra_fields(model, fields)
        extra["history_user"].db_index = False
        return extra

    def get_history_user(self, instance: models.Model) -> User | None:
        """Return the acting user, else the one of the request."""
        actor = _actor.get()
        return actor.user if actor else super().get_history_user(instance)

    def get_change_reason_for_object(
        self, instance: models.Model, history_type: str, using: str
    ) -> str | None:
        """Return the reason given to `acting_as`, else the one set on the instance."""
        actor = _actor.get()
        if actor:
            return actor.reason
        reason: str | None = super().get_change_reason_for_object(instance, history_type, using)
        return reason


def record_history(
    model: type[models.Model],
    keys: Sequence[int],
    kind: Literal["+", "~", "-"],
    *,
    by: str | None = None,
) -> None:
    """Write one history row per key with the row's present values, in one statement.

    For bulk writers: call it after an insert or update, and before a delete. One
    INSERT … SELECT is some thirty times faster than saving instances. With `by`, the keys are
    those of that column.
    """
    if not keys:
        return
    source, _target, key, _columns = _names(model)
    statement, stamp = telling(model, source, kind)
    condition, chosen = _chosen(connection.ops.quote_name(by) if by else key, keys)
    execute(f"{statement} WHERE {condition}", [*stamp, *chosen])


def telling(
    model: type[models.Model], rows: str, kind: Literal["+", "~", "-"]
) -> tuple[str, list[Any]]:
    """Return the statement that writes the history of rows, a table or what looks like it.

    With its parameters.
    """
    _source, target, _key, columns = _names(model)
    actor = _actor.get()
    statement = (
        f"INSERT INTO {target} ({columns}, history_date, history_type,"  # noqa: S608
        f" history_user_id, history_change_reason) SELECT {columns}, %s, %s, %s, %s FROM {rows}"
    )
    moment = connection.ops.adapt_datetimefield_value(now())
    user = actor.user.pk if actor and actor.user else None
    return statement, [moment, kind, user, actor.reason if actor else None]


@cache
def _names(model: type[models.Model]) -> tuple[str, str, str, str]:
    """Return table, history table, key and columns of a model, quoted: every database alike."""
    history = model.history.model  # type: ignore[attr-defined]
    quoted = connection.ops.quote_name
    fields = [history._meta.get_field(field.name) for field in history.tracked_fields]
    columns = ", ".join(quoted(field.column) for field in fields)
    key = quoted(model._meta.pk.column or "id")
    return quoted(model._meta.db_table), quoted(history._meta.db_table), key, columns


def _chosen(column: str, keys: Sequence[int]) -> tuple[str, list[Any]]:
    """Return the condition that chooses the keys, with its parameters.

    Keys of new rows are mostly all the numbers of a range.
    """
    first, last = min(keys), max(keys)
    if isinstance(keys, range) or last - first + 1 == len(keys) == len(set(keys)):
        return f"{column} BETWEEN %s AND %s", [first, last]
    subquery, listed = key_query(keys)
    return f"{column} IN ({subquery})", [listed]
