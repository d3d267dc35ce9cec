"""Undoing a file finds what it wrote without an index that every load would pay for."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mdm', '0007_add_website'),
    ]

    operations = [
        migrations.AddField(
            model_name='loadbatch',
            name='history_after',
            field=models.PositiveBigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='loadbatch',
            name='history_until',
            field=models.PositiveBigIntegerField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name='sourcerecord',
            index=models.Index(condition=models.Q(('missing_from__isnull', False)), fields=['missing_from'], name='source_record_missing_from'),
        ),
    ]
