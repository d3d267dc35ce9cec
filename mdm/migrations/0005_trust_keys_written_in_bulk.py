"""Keys that bulk writers take from rows of the same transaction; see mdm/key_constraints.py."""

import django.db.models.deletion
from django.db import migrations, models

from mdm.key_constraints import DropConstraint


class Migration(migrations.Migration):

    dependencies = [
        ('mdm', '0004_add_alias'),
    ]

    operations = [
        DropConstraint(
            model_name='goldenrecord',
            name='customer',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='golden', serialize=False, to='mdm.customer'),
        ),
        DropConstraint(
            model_name='recordcontactpoint',
            name='contact_point',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='carriers', to='mdm.contactpoint'),
        ),
        DropConstraint(
            model_name='recordcontactpoint',
            name='record',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='carried', to='mdm.sourcerecord'),
        ),
        DropConstraint(
            model_name='sourcerecord',
            name='batch',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='records', to='mdm.loadbatch', verbose_name='loaded file'),
        ),
        DropConstraint(
            model_name='sourcerecord',
            name='customer',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='records', to='mdm.customer', verbose_name='customer'),
        ),
        DropConstraint(
            model_name='sourcerecord',
            name='source',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='records', to='mdm.sourcesystem', verbose_name='source system'),
        ),
    ]
