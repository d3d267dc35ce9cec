"""Purpose and file of an event are read where it is written; see mdm/key_constraints.py."""

import django.db.models.deletion
from django.db import migrations, models

from mdm.key_constraints import DropConstraint


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0003_default_purposes'),
        ('mdm', '0005_trust_keys_written_in_bulk'),
    ]

    operations = [
        DropConstraint(
            model_name='consentevent',
            name='batch',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='consent_events', to='mdm.loadbatch'),
        ),
        DropConstraint(
            model_name='consentevent',
            name='purpose',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='Null: every purpose of prospecting (objections only).', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.purpose'),
        ),
    ]
