"""What left is never unsaid: downloads only grow."""

from django.db import migrations

from consent.append_only import protect, unprotect

TABLE, KEYS = "campaigns_listdownload", ["id", "watermark"]


def protect_downloads(apps, schema_editor):
    protect(schema_editor, TABLE, KEYS)


def unprotect_downloads(apps, schema_editor):
    unprotect(schema_editor, TABLE, KEYS)


class Migration(migrations.Migration):

    dependencies = [("campaigns", "0001_initial")]

    operations = [migrations.RunPython(protect_downloads, unprotect_downloads)]
