import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("matching", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="supersedes",
            field=models.ForeignKey(
                blank=True,
                help_text="The decision on the same pair that this one replaced; undo brings it back.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="matching.decision",
            ),
        ),
        migrations.AddField(
            model_name="historicaldecision",
            name="supersedes",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="The decision on the same pair that this one replaced; undo brings it back.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="matching.decision",
            ),
        ),
    ]
