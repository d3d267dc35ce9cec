"""Access packs as the DPO gets them, opened."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from mdm.models import SourceRecord
from tests.mdm.pages import client_of


@dataclass(frozen=True)
class Pack:
    """A pack that was sent, opened."""

    response: HttpResponse
    files: dict[str, bytes]

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.files["data.json"])

    def table(self, name: str) -> list[dict[str, Any]]:
        return self.data["tables"][name]

    def csv(self, name: str) -> list[dict[str, str]]:
        text = self.files[name].decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text), delimiter=";"))

    @property
    def text(self) -> str:
        """Everything a reader finds in the file but the PDF, which is compressed."""
        return "\n".join(
            content.decode() for name, content in self.files.items() if not name.endswith("pdf")
        )


def page_of(record: SourceRecord) -> str:
    return reverse("mdm:customer-access-pack", args=[record.customer.public_id])


def take(record: SourceRecord, role: str = "dpo", **told: Any) -> Pack:
    response = client_of(role).post(page_of(record), {"language": "en", **told})
    assert response["Content-Type"] == "application/zip", response.text
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        return Pack(response, {name: archive.read(name) for name in archive.namelist()})
