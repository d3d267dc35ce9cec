"""Keys of the ledger that PostgreSQL checks by the statement instead of row by row.

A foreign key looks each key up by itself when the transaction ends, while a load waits: half of
the time of a commit. Here a trigger looks up all keys that a statement wrote, once, and locks
their rows as a foreign key does, so that nobody deletes them meanwhile (those that the same
transaction has written are locked by that); others keep such rows from going while an event names
them. The guarantee is the same. SQLite keeps its foreign keys.

Models say nothing of it: to them, and to SQLite, these are foreign keys like all others.
"""

from collections.abc import Iterator

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_EVENTS = "consent_consentevent"
_Kept = tuple[tuple[str, str], ...]
"""Fields of an event, each with the table whose keys it holds."""

_FIRST: _Kept = (("source_record", "mdm_sourcerecord"), ("contact_point", "mdm_contactpoint"))
_OTHERS: _Kept = (("actor", "auth_user"), ("notice_version", "consent_noticeversion"))

# Planned each time: a plan made while tables are empty would read them from end to end later. Like
# foreign keys they look with the rights of the owner, in the very schema of the table.
_FUNCTIONS = """
CREATE OR REPLACE FUNCTION hold_keys() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE is_complete boolean;
BEGIN
    -- What this transaction has written itself nobody else can let go, so it needs no lock: in a
    -- load, all of it.
    EXECUTE format(
        'WITH keys AS MATERIALIZED'
        ' (SELECT DISTINCT %1$I AS id FROM written WHERE %1$I IS NOT NULL)'
        ' SELECT count(*) = (SELECT count(*) FROM keys)'
        ' FROM keys JOIN %3$I.%2$I AS named USING (id)'
        ' WHERE named.xmin = pg_current_xact_id()::xid',
        TG_ARGV[0], TG_ARGV[1], TG_TABLE_SCHEMA
    ) INTO is_complete;
    IF is_complete THEN
        RETURN NULL;
    END IF;
    EXECUTE format(
        'SELECT (SELECT count(DISTINCT %1$I) FROM written) = (SELECT count(*) FROM ('
        'SELECT FROM %3$I.%2$I WHERE id IN (SELECT %1$I FROM written) FOR KEY SHARE) AS held)',
        TG_ARGV[0], TG_ARGV[1], TG_TABLE_SCHEMA
    ) INTO is_complete;
    IF NOT is_complete THEN
        RAISE EXCEPTION USING
            MESSAGE = TG_TABLE_NAME || ' names rows that are not in ' || TG_ARGV[1] || '.',
            ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION refuse_orphans() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE is_named boolean;
BEGIN
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM %3$I.%2$I WHERE %1$I IN (SELECT id FROM gone))',
        TG_ARGV[0], TG_ARGV[1], TG_TABLE_SCHEMA
    ) INTO is_named;
    IF is_named THEN
        RAISE EXCEPTION USING
            MESSAGE = TG_ARGV[1] || ' names rows that would go from ' || TG_TABLE_NAME || '.',
            ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION refuse_new_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = 'Keys of ' || TG_TABLE_NAME || ' never change.',
        ERRCODE = 'foreign_key_violation';
END $$;
"""


def check_by_statement(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put triggers in the place of the foreign keys of record and contact point, on PostgreSQL."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_FUNCTIONS, params=None)
        _replace_foreign_keys(schema_editor, _FIRST)


def check_others_by_statement(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Do so for person and notice, which a load names nowhere: each was looked at all the same."""
    if schema_editor.connection.vendor == "postgresql":
        _replace_foreign_keys(schema_editor, _OTHERS)


def renew_functions(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let the triggers that are there do what this version says."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_FUNCTIONS, params=None)


def check_row_by_row(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put the foreign keys of record and contact point back: the backward step."""
    if schema_editor.connection.vendor == "postgresql":
        _put_foreign_keys_back(schema_editor, _FIRST)
        schema_editor.execute("DROP FUNCTION hold_keys, refuse_orphans, refuse_new_key")


def check_others_row_by_row(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put those of person and notice back: the backward step."""
    if schema_editor.connection.vendor == "postgresql":
        _put_foreign_keys_back(schema_editor, _OTHERS)


def _replace_foreign_keys(schema_editor: BaseDatabaseSchemaEditor, kept: _Kept) -> None:
    for statement in (*_triggers(kept), *_drops_of_foreign_keys(schema_editor, kept)):
        schema_editor.execute(statement)


def _put_foreign_keys_back(schema_editor: BaseDatabaseSchemaEditor, kept: _Kept) -> None:
    for field, table in kept:
        schema_editor.execute(f"DROP TRIGGER {_EVENTS}_holds_{field} ON {_EVENTS}")
        schema_editor.execute(f"DROP TRIGGER {table}_is_named ON {table}")
        schema_editor.execute(f"DROP TRIGGER {table}_keys_stay ON {table}")
        schema_editor.execute(
            f"ALTER TABLE {_EVENTS} ADD CONSTRAINT consent_event_{field}_fk FOREIGN KEY"
            f" ({field}_id) REFERENCES {table} (id) DEFERRABLE INITIALLY DEFERRED"
        )


def _triggers(kept: _Kept) -> Iterator[str]:
    for field, table in kept:
        yield (
            f"CREATE TRIGGER {_EVENTS}_holds_{field} AFTER INSERT ON {_EVENTS}"
            " REFERENCING NEW TABLE AS written FOR EACH STATEMENT"
            f" EXECUTE FUNCTION hold_keys('{field}_id', '{table}')"
        )
        yield (
            f"CREATE TRIGGER {table}_is_named AFTER DELETE ON {table}"
            " REFERENCING OLD TABLE AS gone FOR EACH STATEMENT"
            f" EXECUTE FUNCTION refuse_orphans('{field}_id', '{_EVENTS}')"
        )
        yield (
            f"CREATE TRIGGER {table}_keys_stay BEFORE UPDATE OF id ON {table}"
            " FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION refuse_new_key()"
        )


def _drops_of_foreign_keys(schema_editor: BaseDatabaseSchemaEditor, kept: _Kept) -> Iterator[str]:
    connection = schema_editor.connection
    columns = [f"{field}_id" for field, _table in kept]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, _EVENTS)
    for name, constraint in found.items():
        if constraint["foreign_key"] and constraint["columns"][0] in columns:
            yield f"ALTER TABLE {_EVENTS} DROP CONSTRAINT {connection.ops.quote_name(name)}"
