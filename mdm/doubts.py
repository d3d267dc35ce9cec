"""Asking for the issues of source records, on both databases.

`issues <> '[]'` is written out in every statement instead of being sent as a parameter: only so
do both databases use their index on records with issues (`source_record_issues`).
"""

import json
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func
from django.db.models.sql.compiler import SQLCompiler


class HasIssues(Func):
    """Something was noticed in a value of the record."""

    template = "%(expressions)s <> '[]'"
    output_field = BooleanField()

    def __init__(self, **extra: Any) -> None:
        super().__init__(F("issues"), **extra)


class HasIssue(HasIssues):
    """An attribute of the record has an issue; this one, when a code is given."""

    def __init__(self, attribute: str, code: str = "", **extra: Any) -> None:
        super().__init__(**extra)
        self.wanted = [attribute, code] if code else [attribute]

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, Any]:
        """Ask the index on issues."""
        has_issues, values = super().as_sql(compiler, connection)
        column, _ = compiler.compile(self.source_expressions[0])
        return f"({has_issues} AND {column} @> %s::jsonb)", [*values, json.dumps([self.wanted])]

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        """Look into each record with issues."""
        has_issues, values = super().as_sql(compiler, connection)
        column, _ = compiler.compile(self.source_expressions[0])
        places = " AND ".join(f"{issue_part(place)} = %s" for place in range(len(self.wanted)))
        found = f"EXISTS (SELECT 1 FROM json_each({column}) AS issue WHERE {places})"  # noqa: S608
        return f"({has_issues} AND {found})", [*values, *self.wanted]


def issue_part(place: int) -> str:
    """Return the SQL of the attribute (0) or the code (1) of a row of `issue_rows`."""
    if connection.vendor == "postgresql":
        return f"(issue.value ->> {place})"
    return f"json_extract(issue.value, '$[{place}]')"


def issue_rows() -> str:
    """Return the SQL that takes the issues of mdm_sourcerecord apart, as the table `issue`."""
    if connection.vendor == "postgresql":
        return "jsonb_array_elements(mdm_sourcerecord.issues) AS issue(value)"
    return "json_each(mdm_sourcerecord.issues) AS issue"
