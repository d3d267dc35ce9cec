"""A claim of an undone file is taken back by an event of its own.

SQLite makes the table anew, so the triggers that keep it append-only are put back afterwards.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from consent.append_only import protect, unprotect

_EVENTS = ("consent_consentevent", ["id", "uuid", "source_event_id"])


def lift(apps, schema_editor):
    unprotect(schema_editor, *_EVENTS)


def put_back(apps, schema_editor):
    protect(schema_editor, *_EVENTS)


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0004_trust_keys_of_purpose_and_file'),
        ('mdm', '0005_trust_keys_written_in_bulk'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(lift, put_back),
        migrations.AddField(
            model_name='consentevent',
            name='annuls',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='The consent that counts as never given, as its file was undone.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='retractions', to='consent.consentevent'),
        ),
        migrations.AlterField(
            model_name='consentevent',
            name='type',
            field=models.CharField(choices=[('given', 'consent given'), ('confirmed', 'consent confirmed (double opt-in)'), ('refused', 'consent refused'), ('withdrawn', 'consent withdrawn'), ('objection', 'objection'), ('retracted', 'claim taken back')], max_length=9, verbose_name='what happened'),
        ),
        migrations.AddConstraint(
            model_name='consentevent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('annuls__isnull', False), ('type', 'retracted')), models.Q(models.Q(('type', 'retracted'), _negated=True), ('annuls__isnull', True)), _connector='OR'), name='consent_event_retraction_names_what_it_annuls'),
        ),
        migrations.AddConstraint(
            model_name='consentevent',
            constraint=models.UniqueConstraint(condition=models.Q(('annuls__isnull', False)), fields=('annuls',), name='consent_event_taken_back_once'),
        ),
        migrations.RunPython(put_back, lift),
    ]
