"""Loads leave these keys empty, and had each of them looked at when they committed."""

import django.db.models.deletion
from django.db import migrations, models

from mdm.migration_steps import Unburden


class Migration(migrations.Migration):
    dependencies = [("mdm", "0006_index_names_alone")]

    operations = [
        Unburden(
            [
                migrations.AlterField(
                    "sourcerecord",
                    "missing_from",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="The full file that no longer held the record, while it is"
                        " deleted.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mdm.loadbatch",
                    ),
                ),
                migrations.AlterField(
                    "customer",
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged_ids",
                        to="mdm.customer",
                    ),
                ),
            ],
            foreign_keys=[
                ("mdm_sourcerecord", "missing_from_id"),
                ("mdm_customer", "merged_into_id"),
            ],
        )
    ]
