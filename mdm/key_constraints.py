"""Foreign keys whose rows are written in bulk: kept by the one writer of their table.

The database looks each new key up by itself, row by row, some microseconds apiece: on PostgreSQL
a fifth of what a load cost there. Where the writer takes the keys from rows that it wrote, locked
or read in the same transaction, and nobody deletes those rows, the look-up proves nothing.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class DropConstraint(migrations.AlterField):
    """An AlterField to `db_constraint=False` that leaves tables of SQLite as they are.

    There a look-up costs next to nothing, and to drop a constraint is to build the table anew,
    without the indexes and triggers that migrations added by hand.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the constraint, on PostgreSQL."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
