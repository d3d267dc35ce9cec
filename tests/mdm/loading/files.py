"""Small files and mappings to load in tests."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mdm import jobs
from mdm.loading.batches import start_load
from mdm.models import LoadBatch

DOCUMENT: dict[str, Any] = {
    "source": {"label": "CRM", "trust": 80, "region": "FR"},
    "column": [
        {"name": "id", "attribute": "source_key"},
        {"name": "nom", "attribute": "family_name"},
        {"name": "prenom", "attribute": "given_name"},
        {"name": "email", "attribute": "email"},
        {"name": "tel", "attribute": "phone"},
        {"name": "maj", "attribute": "updated_at", "format": "%d/%m/%Y"},
        {"name": "accord", "attribute": "permission", "channel": "email"},
        {"name": "stop", "attribute": "opt_out", "channel": "*"},
    ],
}
COLUMNS = tuple(column["name"] for column in DOCUMENT["column"])
DEFAULTS = dict.fromkeys(COLUMNS, "") | {"nom": "DUPONT", "prenom": "Jean", "maj": "01/02/2024"}


def row(key: object, **values: str) -> dict[str, str]:
    """Return a line of the CRM with the key."""
    return {**DEFAULTS, "id": str(key), **values}


def csv_bytes(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    """Write rows as the CRM exports them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("cp1252")


def load_bytes(
    content: bytes, *, mode: str = "", document: Any = DOCUMENT, source: str = "crm"
) -> LoadBatch:
    """Load a file for a source and return its finished batch."""
    batch = start_load(
        io.BytesIO(content),
        file_name=f"{source}.csv",
        source_code=source,
        document=document,
        mode=mode,
        by=None,
        is_foreground=True,
    )
    assert batch.job is not None
    jobs.run_now(batch.job)
    batch.refresh_from_db()
    return batch


def load(*rows: Mapping[str, str], mode: str = "", document: Any = DOCUMENT) -> LoadBatch:
    """Load rows for the source `crm` and return the finished batch."""
    return load_bytes(csv_bytes(rows), mode=mode, document=document)


def ends(batch: LoadBatch) -> dict[str, int]:
    """Return the counts of a batch that are not zero."""
    names = ("new", "changed", "same", "stale", "rejected", "deleted")
    counts = {name: getattr(batch, f"{name}_count") for name in names}
    return {name: count for name, count in counts.items() if count}


def write_mapping(folder: Path, document: Any = DOCUMENT) -> Path:
    """Write the mapping as a JSON file."""
    path = folder / "crm.json"
    path.write_text(json.dumps(document))
    return path
