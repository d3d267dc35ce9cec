"""`manage.py grant_application_role NAME`: what the running application may do on PostgreSQL."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from psycopg import sql

from consent.append_only import ERASABLE


class Command(BaseCommand):
    """Give a role what web and workers need, and no more; run it as the owner of the tables."""

    help = (
        "Grant a PostgreSQL role what web and workers need. It can add to the ledger and never "
        "change it; run as the owner of the tables, after each migrate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the role, which exists already."""
        parser.add_argument("role", help="a role that exists: the one web and workers connect as")

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant everything at once, or nothing."""
        if connection.vendor != "postgresql":
            raise CommandError("Roles of the database exist on PostgreSQL alone.")
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [options["role"]])
            if cursor.fetchone() is None:
                raise CommandError(f"There is no role {options['role']}: create it first.")
        _grant(sql.Identifier(options["role"]))
        self.stdout.write(f"{options['role']} may use the application's tables.")


@transaction.atomic
def _grant(role: sql.Identifier) -> None:
    _execute("GRANT USAGE ON SCHEMA public TO {}", role)
    _execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}", role)
    _execute("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}", role)
    for table in _growing_tables():
        name = sql.Identifier(table)
        _execute("REVOKE UPDATE, DELETE, TRUNCATE, TRIGGER ON {} FROM {}", name, role)
        if columns := ERASABLE.get(table):
            listed = sql.SQL(", ").join(map(sql.Identifier, columns))
            _execute("GRANT UPDATE ({}) ON {} TO {}", listed, name, role)


def _execute(statement: str, *parts: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*parts))


def _growing_tables() -> list[str]:
    """Return the tables whose triggers refuse every change, of whatever app."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger"
            " JOIN pg_proc ON pg_proc.oid = tgfoid WHERE proname = 'refuse_change' ORDER BY 1"
        )
        return [table for (table,) in cursor.fetchall()]
