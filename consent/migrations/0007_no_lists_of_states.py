"""Whoever asks about many customers enters their states by the customer: nothing reads this index."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("consent", "0006_trust_keys_just_written")]

    operations = [migrations.RemoveIndex("permissionstate", "permission_state_lists")]
