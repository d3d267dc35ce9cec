"""An index that leads from an issue to its records; see mdm/doubts.py."""

from django.db import migrations

_CREATE = {
    # Either database keeps only the records in which something is doubtful.
    "postgresql": "CREATE INDEX source_record_issues ON mdm_sourcerecord"
    " USING gin (issues jsonb_path_ops) WHERE issues <> '[]'",
    "sqlite": "CREATE INDEX source_record_issues ON mdm_sourcerecord (source_id, id)"
    " WHERE issues <> '[]'",
}


def create_index(apps, schema_editor):
    schema_editor.execute(_CREATE[schema_editor.connection.vendor])


def drop_index(apps, schema_editor):
    schema_editor.execute("DROP INDEX IF EXISTS source_record_issues")


class Migration(migrations.Migration):
    dependencies = [("mdm", "0002_search_index")]

    operations = [migrations.RunPython(create_index, drop_index, elidable=False)]
