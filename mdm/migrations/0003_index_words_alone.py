"""The index of words leaves keys and ids alone, which stand behind the words of golden records."""

from collections import defaultdict

from django.db import migrations

from mdm import bulk
from mdm.birth_ids import public_id
from mdm.golden_rows import SEARCHED, searched_text

_CHUNK = 5_000
_INDEX = "CREATE INDEX golden_record_search ON mdm_goldenrecord USING gin ({} gin_trgm_ops)"


def index_words_alone(apps, schema_editor):
    _index(schema_editor, None)  # Built at the end it costs less than row by row.
    _write_texts(apps.get_model("mdm", "SourceRecord"), apps.get_model("mdm", "GoldenRecord"))
    _index(schema_editor, "split_part(search_text, '  ', 1)")


def index_all(apps, schema_editor):
    """The texts may stay as they are: every word that was there still is."""
    _index(schema_editor, None)
    _index(schema_editor, "search_text")


def _index(schema_editor, what):
    """Drop the index, or make it where the extension is."""
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    if what is None:
        schema_editor.execute("DROP INDEX IF EXISTS golden_record_search")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_extension WHERE extname = 'pg_trgm'")
        is_there = cursor.fetchone() is not None
    if is_there:
        schema_editor.execute(_INDEX.format(what))


def _write_texts(records, golden):
    after = 0
    while keys := list(
        golden.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:_CHUNK]
    ):
        members = defaultdict(list)
        told = records.objects.filter(
            customer__gt=after, customer__lte=keys[-1], status="active"
        ).order_by("pk")
        for customer, key, *values in told.values_list("customer_id", "source_key", *SEARCHED):
            members[customer].append((key, values))
        bulk.update(
            golden,
            ("pk", "search_text"),
            [(key, f"{searched_text(members[key])} {public_id(key).lower()}") for key in keys],
        )
        after = keys[-1]


class Migration(migrations.Migration):
    dependencies = [("mdm", "0002_no_unread_indexes")]

    operations = [migrations.RunPython(index_words_alone, index_all)]
