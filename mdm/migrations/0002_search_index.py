"""A trigram index for the search box, on PostgreSQL when the extension may be created there."""

from django.db import DatabaseError, migrations, transaction


def create_index(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        # Not installed on the server, or not ours to create: the box then reads every row.
        return
    schema_editor.execute(
        "CREATE INDEX IF NOT EXISTS golden_record_search"
        " ON mdm_goldenrecord USING gin (search_text gin_trgm_ops)"
    )


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS golden_record_search")


class Migration(migrations.Migration):
    dependencies = [("mdm", "0001_initial")]

    operations = [migrations.RunPython(create_index, drop_index, elidable=False)]
