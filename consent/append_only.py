"""Tables that only grow: triggers that refuse every change, on both databases.

They stop accidents, bulk updates and the application itself; an owner of the database could drop
them, which the chain of hashes shows (`consent.verification`). One change is let through: what
the erasure of a person takes out of her events and their seals, and nothing else. Migrations call
`protect`, tests that attack tables call `unprotect` first.

SQLite makes a table anew to change a column, which loses its triggers: such a migration calls
`unprotect` before and `protect` after.
"""

from collections.abc import Iterable, Iterator

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_PROCEDURE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = 'Rows of ' || TG_TABLE_NAME || ' are never changed or deleted.',
        ERRCODE = 'integrity_constraint_violation';
END $$
"""


def protect(
    schema_editor: BaseDatabaseSchemaEditor,
    table: str,
    keys: list[str],
    erasure: str = "",
    deletable: str = "",
) -> None:
    """Refuse UPDATE and DELETE on a table, and whatever else would replace its rows.

    `keys` are its unique keys, as in `TABLES`: SQLite's INSERT OR REPLACE deletes the row in the
    way without firing a delete trigger, unless a connection asked for it. `erasure` is the
    condition on OLD and NEW of the one UPDATE that is let through, `deletable` that on OLD of a
    DELETE.
    """
    unless = f" WHEN (NOT ({erasure}))" if erasure else ""
    kept = f" WHEN (NOT ({deletable}))" if deletable else ""
    if schema_editor.connection.vendor == "postgresql":
        statements = [_PROCEDURE, *_postgresql_triggers(table, unless, kept)]
    else:
        statements = list(_sqlite_triggers(table, keys, unless, kept))
    for statement in statements:
        schema_editor.execute(statement)


def _postgresql_triggers(table: str, unless: str, kept: str) -> Iterator[str]:
    refused = "EXECUTE FUNCTION refuse_change()"
    yield (
        f"CREATE TRIGGER {table}_rows_stay BEFORE DELETE ON {table} FOR EACH ROW{kept} {refused}"
    )
    yield (
        f"CREATE TRIGGER {table}_values_stay BEFORE UPDATE ON {table}"
        f" FOR EACH ROW{unless} {refused}"
    )
    yield (f"CREATE TRIGGER {table}_stays BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refused}")


def _sqlite_triggers(table: str, keys: list[str], unless: str, kept: str) -> Iterator[str]:
    refusal = f"SELECT RAISE(ABORT, 'Rows of {table} are never changed or deleted.');"
    taken = " OR ".join(map(_is_taken, keys))
    there = f"EXISTS (SELECT 1 FROM {table} WHERE {taken})"  # noqa: S608
    for name, condition in (
        ("no_update", f"BEFORE UPDATE ON {table}{unless}"),
        ("no_delete", f"BEFORE DELETE ON {table}{kept}"),
        ("no_replace", f"BEFORE INSERT ON {table} WHEN {there}"),
    ):
        yield f"CREATE TRIGGER {table}_{name} {condition} BEGIN {refusal} END"


def _is_taken(key: str) -> str:
    columns, _, condition = key.partition(" where ")
    same = [f"{column} = NEW.{column}" for column in columns.split()]
    return " AND ".join([*same, condition, f"NEW.{condition}"] if condition else same)


def unprotect(schema_editor: BaseDatabaseSchemaEditor, table: str, keys: list[str]) -> None:
    """Take the triggers away again; `keys` only mirrors `protect`."""
    if schema_editor.connection.vendor == "postgresql":
        for name in ("rows_stay", "values_stay", "stays"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_{name} ON {table}")
        return
    for suffix in ("no_update", "no_delete", "no_replace"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_{suffix}")


TABLES: dict[str, list[str]] = {
    "consent_consentevent": [
        "id",
        "uuid",
        "source_record_id source_event_id",
        "source_event_id where batch_id IS NULL",
    ],
    "consent_noticeversion": ["id"],
    "consent_noticepicture": ["id", "uuid"],
    "consent_eventseal": ["number", "event_id"],
    "consent_sealblock": ["number"],
    "consent_conflictresolution": ["id"],
    "consent_sampledraw": ["id", "batch_id"],
    "consent_sampledclaim": ["id"],
    "consent_prooffinding": ["id"],
    "consent_quarantinedecision": ["id", "draw_id"],
    "consent_policyversion": ["id", "version", "code"],
    "consent_registercheck": ["id"],
}
"""The append-only tables of this app and their unique keys: columns, and where they are unique."""
ERASABLE = {
    "consent_consentevent": ["contact_point_id", "line", "erased_at"],
    "consent_eventseal": ["salt"],
    "consent_conflictresolution": ["contact_point_id", "reason", "reference"],
}
"""The columns that the erasure of a person empties or sets."""
_KEPT_OF_EVENT = (
    "id uuid source_record_id channel purpose_id type actor_type actor_id evidence_level"
    " claims_double_opt_in occurred_at recorded_at notice_version_id batch_id annuls_id"
    " source_event_id"
).split()
_KEPT_OF_SEAL = "number event_id digest proof hash".split()
_KEPT_OF_RESOLUTION = (
    "id customer_id channel purpose_id digest verdict decided_by_id decided_at"
).split()
_KEPT_OF_PACK = (
    "id version note created_at created_by_id activated_at activated_by_id code parameters"
    " valid_from begins_at digest signed_at signed_by_id"
).split()


def protect_tables(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Protect every table of `TABLES`: the forward step of the migration that makes them."""
    changes = _changes_let_through(schema_editor)
    for table, keys in TABLES.items():
        deletable = "OLD.status = 'draft'" if table == "consent_policyversion" else ""
        protect(schema_editor, table, keys, changes.get(table, ""), deletable)


def protect_events(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Protect the ledger again after a migration has changed its table or its keys."""
    table, changes = "consent_consentevent", _changes_let_through(schema_editor)
    protect(schema_editor, table, TABLES[table], changes[table])


def unprotect_events(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the protection of the ledger away, for a migration that puts it back."""
    unprotect(schema_editor, "consent_consentevent", [])


def unprotect_tables(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take their protection away: the backward step."""
    for table, keys in TABLES.items():
        unprotect(schema_editor, table, keys)


def _changes_let_through(schema_editor: BaseDatabaseSchemaEditor) -> dict[str, str]:
    """Return table -> the condition on OLD and NEW of the one UPDATE that passes.

    The erasure of a person passes once; a policy pack may be edited as a draft, and taken back
    before it begins.
    """

    def only(change: str, kept: list[str]) -> str:
        return f"{change} AND {_unchanged(schema_editor, kept)}"

    erased = (
        "OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL"
        " AND NEW.contact_point_id IS NULL AND NEW.line IS NULL"
    )
    words_gone = "NEW.reason = '' AND NEW.reference = '' AND NEW.contact_point_id IS NULL"
    taken_back = (
        "OLD.status = 'active' AND NEW.status = 'retired' AND OLD.begins_at IS NOT NULL"
        " AND NEW.withdrawn_at IS NOT NULL AND OLD.begins_at > NEW.withdrawn_at"
    )
    return {
        "consent_consentevent": only(erased, _KEPT_OF_EVENT),
        "consent_eventseal": only("NEW.salt IS NULL", _KEPT_OF_SEAL),
        "consent_conflictresolution": only(words_gone, _KEPT_OF_RESOLUTION),
        "consent_policyversion": f"OLD.status = 'draft' OR ({only(taken_back, _KEPT_OF_PACK)})",
    }


def _unchanged(schema_editor: BaseDatabaseSchemaEditor, columns: Iterable[str]) -> str:
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    same = "IS NOT DISTINCT FROM" if is_postgresql else "IS"
    return " AND ".join(f"NEW.{name} {same} OLD.{name}" for name in columns)
