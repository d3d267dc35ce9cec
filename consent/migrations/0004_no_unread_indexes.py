"""Nothing looks into histories by who changed a row, nor for states by contact point."""

import django.db.models.deletion
from django.db import migrations, models

from mdm.migration_steps import Unburden, who_of

HISTORIES = (
    "historicalcollectionchoice",
    "historicalcollectionpoint",
    "historicalpause",
    "historicalpermissionstate",
    "historicalpolicyversion",
    "historicalpurpose",
    "historicalrightsrequest",
    "historicalsimilarfamily",
    "historicalsuppressionlist",
)


class Migration(migrations.Migration):
    dependencies = [("consent", "0003_facts_behind_their_records")]

    operations = [
        Unburden(
            [
                *who_of(HISTORIES),
                migrations.AlterField(
                    "permissionstate",
                    "contact_point",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="permission_states",
                        to="mdm.contactpoint",
                    ),
                ),
            ],
            indexes=[
                *((f"consent_{name}", "history_user_id") for name in HISTORIES),
                ("consent_permissionstate", "contact_point_id"),
            ],
        ),
    ]
