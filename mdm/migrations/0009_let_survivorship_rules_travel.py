"""Permissions to carry survivorship rules to and from a file."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('mdm', '0008_find_what_a_file_wrote'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='survivorshiprule',
            options={'ordering': ['attribute'], 'permissions': [('import_survivorshiprule', 'Can import survivorship rules from a file'), ('export_survivorshiprule', 'Can export survivorship rules to a file')], 'verbose_name': 'survivorship rule', 'verbose_name_plural': 'survivorship rules'},
        ),
    ]
