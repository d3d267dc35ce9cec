"""Rows that a transaction has written itself need no lock before its events name them."""

from django.db import migrations

from consent.kept_keys import renew_functions


class Migration(migrations.Migration):
    dependencies = [("consent", "0005_access_packs")]

    operations = [migrations.RunPython(renew_functions, migrations.RunPython.noop)]
