"""Nothing looks into histories by who changed a row."""

from django.db import migrations

from mdm.migration_steps import Unburden, who_of

HISTORIES = (
    "historicalcampaign",
)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_squashed_0002_append_only_downloads")]

    operations = [
        Unburden(
            who_of(HISTORIES),
            indexes=[(f"campaigns_{name}", "history_user_id") for name in HISTORIES],
        ),
    ]
