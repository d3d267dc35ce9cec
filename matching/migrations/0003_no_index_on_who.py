"""Nothing looks into histories by who changed a row."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from mdm.migration_steps import Unburden

HISTORIES = (
    "historicaldecision",
    "historicalrepair",
    "historicalruleset",
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
    dependencies = [("matching", "0002_trust_keys_of_evidence")]

    operations = [
        Unburden(
            [
                *(migrations.AlterField(name, "history_user", who()) for name in HISTORIES),
            ],
            indexes=[
                *((f"matching_{name}", "history_user_id") for name in HISTORIES),
            ],
        ),
    ]
