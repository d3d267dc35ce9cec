"""How much the index of words still has to take in; asking takes it in."""

from django.db import connection


def pages_of_words_that_wait() -> int:
    """Return how much the index of words still has to take in; on SQLite nothing ever waits."""
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('golden_record_search')")
        return cursor.fetchone()[0]
