"""What migrations do that Django's own operations do not; Django imports it from nowhere else."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import AlterField
from django.db.migrations.state import ProjectState


class Together(Operation):
    """Several operations with one rendering of the models: in a row, and undone in reverse.

    Django renders after each `CreateModel` all models that are related to the new one, so that a
    hundred tables cost five thousand renderings: three quarters of the time of a first migration.
    For operations that need nothing but the models as they are at the end.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = list(operations)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change what is known of the models; they are rendered when somebody asks."""
        vars(state).pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Change the database, one operation after the other."""
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Undo it, the last one first."""
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """Say what it does, as `migrate --plan` shows it."""
        return "; ".join(operation.describe() for operation in self.operations)


class Unburden(Together):
    """Drop what fields ask for no more, each given as (table, column): indexes and foreign keys.

    `alterations` say so of the fields. Django would make each of these tables anew on SQLite.
    SQLite has foreign keys in its tables: there they stay.
    """

    def __init__(
        self,
        alterations: Sequence[AlterField],
        *,
        indexes: Sequence[tuple[str, str]] = (),
        foreign_keys: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(alterations)
        self.indexes, self.foreign_keys = list(indexes), list(foreign_keys)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Find what there is by its column: its name came from Django."""
        for _table, name in _found(schema_editor, self.indexes, "index"):
            schema_editor.execute(f"DROP INDEX {name}")
        if schema_editor.connection.vendor == "postgresql":
            for table, name in _found(schema_editor, self.foreign_keys, "foreign_key"):
                schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Put them back: Django would make tables of SQLite anew for that, too."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        quote = schema_editor.connection.ops.quote_name
        for table, column in self.indexes:
            index = quote(f"{table}_{column}")
            schema_editor.execute(f"CREATE INDEX {index} ON {quote(table)} ({quote(column)})")

    def describe(self) -> str:
        """Say what it does, as `migrate --plan` shows it."""
        columns = dict.fromkeys([*self.indexes, *self.foreign_keys])
        return f"Drop what is not needed on {', '.join(map('.'.join, columns))}"


def who_of(histories: Sequence[str]) -> list[AlterField]:
    """Return what takes the index away from who changed a row, of each of these histories."""
    return [AlterField(name, "history_user", _who()) for name in histories]


def _who() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


def _found(
    schema_editor: BaseDatabaseSchemaEditor, columns: Sequence[tuple[str, str]], kind: str
) -> Iterator[tuple[str, str]]:
    """Yield table and name, quoted, of what stands on one of these columns alone."""
    connection = schema_editor.connection
    for table, column in columns:
        with connection.cursor() as cursor:
            constraints: Any = connection.introspection.get_constraints(cursor, table)
        for name, found in constraints.items():
            if found[kind] and not found["unique"] and found["columns"] == [column]:
                yield connection.ops.quote_name(table), connection.ops.quote_name(name)
