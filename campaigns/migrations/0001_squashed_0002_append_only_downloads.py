"""The tables of campaigns; what left is never unsaid: downloads only grow."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from consent.append_only import protect, unprotect

from mdm.migration_steps import Together

TABLE, KEYS = "campaigns_listdownload", ["id", "watermark"]


def protect_downloads(apps, schema_editor):
    protect(schema_editor, TABLE, KEYS)


def unprotect_downloads(apps, schema_editor):
    unprotect(schema_editor, TABLE, KEYS)


class Migration(migrations.Migration):

    replaces = [
        ('campaigns', '0001_initial'),
        ('campaigns', '0002_append_only_downloads'),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('consent', '0001_squashed_0018_pictures_of_notices'),
        ('mdm', '0001_squashed_0011_journal_erasures'),
    ]

    operations = [
        Together([
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'SMS'), ('phone', 'phone'), ('post', 'post'), ('social_message', 'private message'), ('autocall', 'calling machine'), ('social_audience', 'social audience')], max_length=15, verbose_name='channel')),
                ('product_family', models.CharField(blank=True, max_length=60, verbose_name='product family')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('conditions', models.JSONField(blank=True, default=list, help_text='[{field, operator, value}, …], all must hold; see campaigns/segments.py.', verbose_name='segment')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                ('purpose', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='consent.purpose', verbose_name='purpose')),
            ],
            options={
                'verbose_name': 'campaign',
                'verbose_name_plural': 'campaigns',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalCampaign',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'SMS'), ('phone', 'phone'), ('post', 'post'), ('social_message', 'private message'), ('autocall', 'calling machine'), ('social_audience', 'social audience')], max_length=15, verbose_name='channel')),
                ('product_family', models.CharField(blank=True, max_length=60, verbose_name='product family')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('conditions', models.JSONField(blank=True, default=list, help_text='[{field, operator, value}, …], all must hold; see campaigns/segments.py.', verbose_name='segment')),
                ('created_at', models.DateTimeField(blank=True, editable=False, verbose_name='created at')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_change_reason', models.TextField(null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                ('purpose', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='consent.purpose', verbose_name='purpose')),
            ],
            options={
                'verbose_name': 'historical campaign',
                'verbose_name_plural': 'historical campaigns',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='TargetList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('conditions', models.JSONField(default=list, help_text='The segment as it was when frozen.')),
                ('start_count', models.PositiveIntegerField(default=0, verbose_name='in the segment')),
                ('member_count', models.PositiveIntegerField(default=0, verbose_name='allowed')),
                ('as_of', models.DateTimeField(blank=True, null=True, verbose_name='as of')),
                ('frozen_at', models.DateTimeField(blank=True, null=True, verbose_name='frozen at')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires at')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='target_lists', to='campaigns.campaign', verbose_name='campaign')),
                ('job', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='target_list', to='mdm.job')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'target list',
                'verbose_name_plural': 'target lists',
                'ordering': ['-pk'],
                'permissions': [('freeze_targetlist', 'Can freeze a target list'), ('download_targetlist', 'Can download a target list')],
            },
        ),
        migrations.CreateModel(
            name='ListExclusion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(help_text='Key of consent.rules.RULES.', max_length=20)),
                ('position', models.PositiveSmallIntegerField(help_text='Order in the waterfall.')),
                ('count', models.PositiveIntegerField()),
                ('target_list', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exclusions', to='campaigns.targetlist')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('target_list', 'rule'), name='list_exclusion_once_per_rule')],
            },
        ),
        migrations.CreateModel(
            name='ListDownload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='at')),
                ('format', models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'XLSX')], max_length=4, verbose_name='format')),
                ('reason', models.CharField(max_length=200, verbose_name='reason')),
                ('watermark', models.CharField(help_text='Stands in every line of the file: a copy that leaks names its download.', max_length=12, unique=True, verbose_name='watermark')),
                ('row_count', models.PositiveIntegerField(verbose_name='lines')),
                ('removed_count', models.PositiveIntegerField(verbose_name='removed at the re-check')),
                ('removed_by_rule', models.JSONField(default=dict)),
                ('sha256', models.CharField(max_length=64)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('target_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='downloads', to='campaigns.targetlist', verbose_name='target list')),
            ],
            options={
                'verbose_name': 'download',
                'verbose_name_plural': 'downloads',
                'ordering': ['-pk'],
                'permissions': [('audit_listdownload', "Can see everybody's downloads")],
                'constraints': [models.CheckConstraint(condition=models.Q(('format__in', ['csv', 'xlsx'])), name='list_download_known_format')],
            },
        ),
        migrations.CreateModel(
            name='TargetListMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(help_text='Key of consent.rules.RULES.', max_length=20)),
                ('basis', models.CharField(max_length=40)),
                ('contact_point', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mdm.contactpoint')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mdm.customer')),
                ('deciding_event', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consentevent')),
                ('target_list', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='campaigns.targetlist')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('target_list', 'customer'), name='target_list_member_once')],
            },
        ),
        ]),
        migrations.RunPython(protect_downloads, unprotect_downloads),
    ]
