"""Nothing looks into histories by who changed a row, nor for states by contact point."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from mdm.migration_steps import Unburden

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


def who() -> models.Field:
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


class Migration(migrations.Migration):
    dependencies = [("consent", "0003_facts_behind_their_records")]

    operations = [
        Unburden(
            [
                *(migrations.AlterField(name, "history_user", who()) for name in HISTORIES),
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
