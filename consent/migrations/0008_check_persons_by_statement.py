"""Keys of persons and notices are looked up for all events of a statement at once, too."""

from django.conf import settings
from django.db import migrations

from consent.kept_keys import check_others_by_statement, check_others_row_by_row


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0007_no_lists_of_states"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunPython(check_others_by_statement, check_others_row_by_row)]
