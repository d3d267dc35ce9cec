"""Raw values and lineages are only ever read whole: PostgreSQL keeps them as they were written."""

from django.db import migrations

from mdm.migration_steps import OnPostgresql
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


class Migration(migrations.Migration):
    dependencies = [("mdm", "0007_trust_empty_keys")]

    operations = [
        OnPostgresql(
            [
                migrations.AlterField("sourcerecord", "raw", raw()),
                migrations.AlterField("historicalsourcerecord", "raw", raw()),
                migrations.AlterField("goldenrecord", "lineage", lineage()),
                migrations.AlterField("historicalgoldenrecord", "lineage", lineage()),
            ]
        )
    ]
