"""A public id is the key in another writing: whoever has one looks for the key."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("mdm", "0003_index_words_alone")]

    operations = [migrations.RemoveConstraint("customer", "customer_unique_public_id")]
