"""E-mail addresses, numbers and postcodes stand behind the words of golden records, with the keys."""

from importlib import import_module

from django.db import migrations

# The same texts are written, by the rule of today.
_words_alone = import_module("mdm.migrations.0003_index_words_alone").index_words_alone


def index_names_alone(apps, schema_editor):
    _words_alone(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("mdm", "0005_room_for_new_carriers")]

    # The texts may stay as they are: every word that was there still is.
    operations = [migrations.RunPython(index_names_alone, migrations.RunPython.noop)]
