"""The purposes every company has: prospecting, news, service."""

from django.db import migrations

PURPOSES = [
    ("marketing", "Offres commerciales", "Commercial offers", "commercial"),
    ("news", "Lettre d’information", "Newsletter", "commercial"),
    ("service", "Messages de service", "Service messages", "service"),
]


def create_purposes(apps, schema_editor):
    purpose = apps.get_model("consent", "Purpose")
    for code, label_fr, label_en, nature in PURPOSES:
        purpose.objects.get_or_create(
            code=code,
            defaults={"label_fr": label_fr, "label_en": label_en, "nature": nature},
        )


class Migration(migrations.Migration):

    dependencies = [("consent", "0002_append_only_events")]

    # Going back keeps the purposes: events may name them.
    operations = [migrations.RunPython(create_purposes, migrations.RunPython.noop)]
