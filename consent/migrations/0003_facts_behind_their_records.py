"""A fact of a file is unique behind its record: one index that grows at its end instead of two."""

import django.db.models.deletion
from django.db import migrations, models

from consent.append_only import protect_events, unprotect_events
from mdm.migration_steps import Unburden


class Migration(migrations.Migration):
    dependencies = [("consent", "0002_check_keys_by_statement")]

    operations = [
        # SQLite makes the table anew, which loses its triggers.
        migrations.RunPython(unprotect_events, protect_events),
        migrations.RemoveConstraint("consentevent", "consent_event_recorded_once"),
        migrations.AddConstraint(
            "consentevent",
            models.UniqueConstraint(
                models.F("source_record"),
                models.F("source_event_id"),
                name="consent_event_once_of_a_record",
            ),
        ),
        migrations.AddConstraint(
            "consentevent",
            models.UniqueConstraint(
                models.F("source_event_id"),
                condition=models.Q(("batch__isnull", True)),
                name="consent_event_once_without_file",
            ),
        ),
        Unburden(
            [
                migrations.AlterField(
                    "consentevent",
                    "source_record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_events",
                        to="mdm.sourcerecord",
                    ),
                )
            ],
            indexes=[("consent_consentevent", "source_record_id")],
        ),
        migrations.RunPython(protect_events, unprotect_events),
    ]
