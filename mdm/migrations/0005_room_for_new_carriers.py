"""A contact point that one more record carries is written anew in its place, not in every index."""

from django.db import migrations, models

_ROOM = "ALTER TABLE mdm_contactpoint SET (fillfactor = 85)"
_NO_ROOM = "ALTER TABLE mdm_contactpoint RESET (fillfactor)"


def leave_room(apps, schema_editor):
    """PostgreSQL needs the room in the page; making the column writes all pages anew."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_ROOM)


def leave_none(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_NO_ROOM)


class Migration(migrations.Migration):
    dependencies = [("mdm", "0004_look_for_keys_of_public_ids")]

    operations = [
        migrations.RunPython(leave_room, leave_none),
        migrations.RemoveIndex("contactpoint", "contact_point_shared"),
        migrations.AddField(
            "contactpoint",
            "is_shared",
            models.GeneratedField(
                db_persist=True,
                expression=models.ExpressionWrapper(
                    models.Q(("shared_by__gt", 5)), output_field=models.BooleanField()
                ),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AddIndex(
            "contactpoint",
            models.Index(
                condition=models.Q(("is_shared", True)),
                fields=["kind"],
                name="contact_point_shared",
            ),
        ),
    ]
