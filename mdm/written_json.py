"""JSON that the database keeps as it was written, for what is only ever read whole.

PostgreSQL takes JSON (jsonb) apart to store it: for the raw values of a row and the lineage of a
golden record that cost a load as much as writing three rows. No query looks into either.
"""

import json
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class WrittenJsonField(models.JSONField):
    """A JSON field without look-ups into it; on SQLite, where JSON is text anyway, like any."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return the type of the column."""
        return "text" if connection.vendor == "postgresql" else super().db_type(connection)

    def get_db_prep_value(
        self,
        value: Any,
        connection: BaseDatabaseWrapper,
        prepared: bool = False,  # noqa: FBT001, FBT002 - Django's own.
    ) -> Any:
        """Return a value as the database takes it."""
        if connection.vendor == "postgresql" and value is not None:
            return json.dumps(value, cls=self.encoder, ensure_ascii=False)
        return super().get_db_prep_value(value, connection, prepared)
