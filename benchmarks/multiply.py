"""Many people out of a few: `python -m benchmarks.multiply PEOPLE` on the data that is there.

`python -m benchmarks.multiply records RECORDS` copies evidence, events and review tasks, too, and
writes codes of the copies as if the last search had seen them; `rebuild` then makes the rest.

Loading a million records takes minutes, and a campaign does not care how they came. Every row
that a campaign reads is copied by INSERT … SELECT, its keys moved by the same distance wherever
they stand, so that a copy hangs together as its original does. Contact points differ, and each
copy was heard of some hours earlier than the one before. Histories, seals and codes are left out:
such a database is for measuring campaigns and for nothing else.
"""

import json
import os
import sys
import time
from typing import Any

import django

_TABLES = (
    "mdm.ContactPoint",
    "mdm.Customer",
    "mdm.SourceRecord",
    "mdm.RecordContactPoint",
    "mdm.GoldenRecord",
    "mdm.Sale",
    "mdm.Contract",
    "consent.ConsentEvent",
    "consent.PermissionState",
)
_OF_IDENTITY = (*_TABLES, "mdm.CustomerEvent", "matching.PairEvidence", "matching.ReviewTask")
_HOURS_EARLIER = 7


def multiply(least: int, *, of_identity: bool = False) -> dict[str, Any]:
    """Copy what is there until at least so many people exist; at most 9,999 times.

    With `of_identity`, so many records, and what identity follows from.
    """
    from django.apps import apps
    from django.core.management.color import no_style
    from django.db import connection, transaction
    from django.db.models import Max

    from mdm.models import GoldenRecord, SourceRecord

    started = time.perf_counter()
    models = [apps.get_model(name) for name in (_OF_IDENTITY if of_identity else _TABLES)]
    distances = {
        model: model._default_manager.aggregate(last=Max("pk"))["last"] or 0 for model in models
    }
    originals = (SourceRecord if of_identity else GoldenRecord).objects.count()
    copies = -(-least // originals) - 1
    for number in range(1, copies + 1):
        with transaction.atomic(), connection.cursor() as cursor:
            for model in models:
                cursor.execute(_copy(model, distances, number))
    if of_identity:
        _have_codes()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
        cursor.execute("ANALYZE")
    return {
        "inner_seconds": time.perf_counter() - started,
        "copies": copies,
        "people": GoldenRecord.objects.count(),
        "records": SourceRecord.objects.count(),
    }


def _have_codes() -> None:
    """Write the codes of the copies, and let the last search have seen them."""
    from django.db import transaction

    from matching import codes
    from matching.runs import last_run

    codes.rebuild()
    run = last_run()
    assert run is not None
    with transaction.atomic():
        codes.mark_seen(codes.unseen_pages(), run)


def _copy(model: Any, distances: dict[Any, int], number: int) -> str:
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    columns = ", ".join(field.column for field in fields)
    values = ", ".join(_value(field, distances, number) for field in fields)
    key, last = model._meta.pk.column, distances[model]
    table = model._meta.db_table
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE {key} <= {last}"


def _value(field: Any, distances: dict[Any, int], number: int) -> str:
    """Return the SQL of one column of a copy."""
    from django.db import connection

    column = field.column
    owner = field.remote_field.model if field.remote_field else field.model
    if (field.primary_key or field.remote_field) and owner in distances:
        return f"{column} + {distances[owner] * number}"
    if column == "public_id":  # Eight figures, which no real one is.
        return f"substr(CAST(100000000 + id + {distances[owner] * number} AS text), 2)"
    if column == "source_event_id":
        return f"'copy ' || (id + {distances[owner] * number})"
    if column == "uuid":
        is_postgresql = connection.vendor == "postgresql"
        return "gen_random_uuid()" if is_postgresql else "lower(hex(randomblob(16)))"
    if column in {"created_at", "recorded_at"} or field.get_internal_type() != "DateTimeField":
        return _text(column, number)
    hours = _HOURS_EARLIER * number
    if connection.vendor == "postgresql":
        return f"{column} - interval '{hours} hours'"
    return f"datetime({column}, '-{hours} hours')"


def _text(column: str, number: int) -> str:
    """Return a column, made another value where it must be unique or names a contact point."""
    mark = f"'{number:04d}'"
    return {
        "source_key": f"source_key || '~' || {mark}",
        "value": f"CASE kind WHEN 'email' THEN {mark} || value ELSE value || {mark} END",
        "email": f"CASE email WHEN '' THEN '' ELSE {mark} || email END",
        "phone": f"CASE phone WHEN '' THEN '' ELSE phone || {mark} END",
    }.get(column, column)


def main() -> None:
    """Multiply with the settings of the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    *what, least = sys.argv[1:]
    print(json.dumps(multiply(int(least), of_identity=what == ["records"])))


if __name__ == "__main__":
    main()
