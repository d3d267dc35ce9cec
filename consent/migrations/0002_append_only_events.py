"""From the first day, consent events and notices only grow."""

from django.db import migrations

from consent.append_only import protect_ledger, unprotect_ledger


class Migration(migrations.Migration):

    dependencies = [("consent", "0001_initial")]

    operations = [migrations.RunPython(protect_ledger, unprotect_ledger)]
