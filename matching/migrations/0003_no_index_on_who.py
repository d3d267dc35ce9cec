"""Nothing looks into histories by who changed a row."""

from django.db import migrations

from mdm.migration_steps import Unburden, who_of

HISTORIES = (
    "historicaldecision",
    "historicalrepair",
    "historicalruleset",
)


class Migration(migrations.Migration):
    dependencies = [("matching", "0002_trust_keys_of_evidence")]

    operations = [
        Unburden(
            who_of(HISTORIES),
            indexes=[(f"matching_{name}", "history_user_id") for name in HISTORIES],
        ),
    ]
