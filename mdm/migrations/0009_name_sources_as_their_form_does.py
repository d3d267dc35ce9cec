"""A source has the same words on its own page as where it is made with its first file."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mdm', '0008_keep_json_as_written'),
    ]

    operations = [
        migrations.AlterField(
            model_name='historicalsourcesystem',
            name='file_mode',
            field=models.CharField(choices=[('delta', 'Delta: only what changed'), ('full', 'Full: what is missing is deleted')], default='delta', max_length=5, verbose_name='what its files hold'),
        ),
        migrations.AlterField(
            model_name='historicalsourcesystem',
            name='label',
            field=models.CharField(max_length=100, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='historicalsourcesystem',
            name='region',
            field=models.CharField(default='FR', help_text='Country of numbers and postcodes written without one (two letters).', max_length=2, verbose_name='country'),
        ),
        migrations.AlterField(
            model_name='sourcesystem',
            name='file_mode',
            field=models.CharField(choices=[('delta', 'Delta: only what changed'), ('full', 'Full: what is missing is deleted')], default='delta', max_length=5, verbose_name='what its files hold'),
        ),
        migrations.AlterField(
            model_name='sourcesystem',
            name='label',
            field=models.CharField(max_length=100, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='sourcesystem',
            name='region',
            field=models.CharField(default='FR', help_text='Country of numbers and postcodes written without one (two letters).', max_length=2, verbose_name='country'),
        ),
    ]
