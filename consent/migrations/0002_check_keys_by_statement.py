"""Keys of records and contact points are looked up for all events of a statement at once."""

from django.db import migrations

from consent.kept_keys import check_by_statement, check_row_by_row


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_squashed_0018_pictures_of_notices")]

    operations = [migrations.RunPython(check_by_statement, check_row_by_row)]
