"""Tables that only grow: triggers that refuse every change, on both databases.

They stop accidents, bulk updates and the application itself; an owner of the database could drop
them, which a chain of hashes will show. Migrations call `protect`, tests that empty tables call
`unprotect` first.
"""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_PROCEDURE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = 'Rows of ' || TG_TABLE_NAME || ' are never changed or deleted.',
        ERRCODE = 'integrity_constraint_violation';
END $$
"""


def protect(schema_editor: BaseDatabaseSchemaEditor, table: str, keys: list[str]) -> None:
    """Refuse UPDATE and DELETE on a table, and whatever else would replace its rows.

    `keys` are its unique columns: SQLite's INSERT OR REPLACE deletes the row in the way without
    firing a delete trigger, unless a connection asked for it.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_PROCEDURE)
        schema_editor.execute(
            f"CREATE TRIGGER {table}_rows_stay BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {table}_stays BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    refusal = f"SELECT RAISE(ABORT, 'Rows of {table} are never changed or deleted.');"
    taken = " OR ".join(f"{key} = NEW.{key}" for key in keys)
    conditions = {
        f"{table}_no_update": "BEFORE UPDATE ON {0}",
        f"{table}_no_delete": "BEFORE DELETE ON {0}",
        f"{table}_no_replace": f"BEFORE INSERT ON {{0}} WHEN EXISTS (SELECT 1 FROM {{0}} WHERE {taken})",  # noqa: S608, E501
    }
    for name, condition in conditions.items():
        schema_editor.execute(
            f"CREATE TRIGGER {name} {condition.format(table)} BEGIN {refusal} END"
        )


def unprotect(schema_editor: BaseDatabaseSchemaEditor, table: str, keys: list[str]) -> None:
    """Take the triggers away again; `keys` only mirrors `protect`."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_rows_stay ON {table}")
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_stays ON {table}")
        return
    for suffix in ("no_update", "no_delete", "no_replace"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_{suffix}")


LEDGER_TABLES: dict[str, list[str]] = {
    "consent_consentevent": ["id", "uuid", "source_event_id"],
    "consent_noticeversion": ["id"],
}
"""The append-only tables of this app and their unique columns."""


def protect_ledger(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Protect every append-only table: the forward step of the migration."""
    for table, keys in LEDGER_TABLES.items():
        protect(schema_editor, table, keys)


def unprotect_ledger(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take all protections away: the backward step."""
    for table, keys in LEDGER_TABLES.items():
        unprotect(schema_editor, table, keys)
