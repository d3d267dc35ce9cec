"""Raw values and lineages are only ever read whole: PostgreSQL keeps them as they were written."""

from django.db import migrations

from mdm.written_json import WrittenJsonField


def raw() -> WrittenJsonField:
    return WrittenJsonField(
        default=dict, help_text="Column → value as received.", verbose_name="raw values"
    )


def lineage() -> WrittenJsonField:
    return WrittenJsonField(
        default=dict,
        help_text="Attribute → [source record or null, pin or null, rule that chose it].",
    )


COLUMNS = (
    ("mdm_sourcerecord", "raw"),
    ("mdm_historicalsourcerecord", "raw"),
    ("mdm_goldenrecord", "lineage"),
    ("mdm_historicalgoldenrecord", "lineage"),
)


def keep_text(apps, schema_editor):
    _retype(schema_editor, "text")


def keep_parsed(apps, schema_editor):
    _retype(schema_editor, "jsonb")


def _retype(schema_editor, kind):
    """SQLite keeps JSON as text anyway: Django would make its tables anew for nothing."""
    if schema_editor.connection.vendor == "postgresql":
        for table, column in COLUMNS:
            schema_editor.execute(
                f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind} USING {column}::{kind}"
            )


class Migration(migrations.Migration):
    dependencies = [("mdm", "0007_trust_empty_keys")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(keep_text, keep_parsed)],
            state_operations=[
                migrations.AlterField("sourcerecord", "raw", raw()),
                migrations.AlterField("historicalsourcerecord", "raw", raw()),
                migrations.AlterField("goldenrecord", "lineage", lineage()),
                migrations.AlterField("historicalgoldenrecord", "lineage", lineage()),
            ],
        )
    ]
