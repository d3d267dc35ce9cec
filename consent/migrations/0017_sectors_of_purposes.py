from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def sector() -> models.CharField:  # type: ignore[type-arg]
    return models.CharField(
        verbose_name="sector",
        max_length=20,
        choices=[
            ("energy_renovation", "energy renovation"),
            ("home_adaptation", "adaptation of homes to age or handicap"),
            ("cpf_training", "training by the CPF"),
        ],
        blank=True,
        default="",
        help_text="Where the law bans canvassing in it, gate G9 refuses, whatever the consent, "
        "unless the offer concerns a running contract.",
    )


def set_apostrophe(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Write the French name of the purpose delivered with the apostrophe of print."""
    purposes = apps.get_model("consent", "Purpose").objects
    purposes.filter(code="news", label_fr="Lettre d'information").update(
        label_fr="Lettre d’information"
    )


class Migration(migrations.Migration):
    dependencies = [("consent", "0016_renewed_consents")]

    operations = [
        migrations.AddField("historicalpurpose", "sector", sector(), preserve_default=False),
        migrations.AddField("purpose", "sector", sector(), preserve_default=False),
        migrations.RunPython(set_apostrophe, migrations.RunPython.noop),
    ]
