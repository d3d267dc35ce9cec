"""Every nasty file, from the command to the database: loaded, rejected by line, or refused."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import localdate

from mdm import rejects
from mdm.models import FieldMapping, Job, LoadBatch, RejectedRow, SourceRecord, SourceSystem
from tests.mdm.loading.files import write_mapping
from tests.mdm.loading.nasty_files import NASTY

pytestmark = pytest.mark.django_db
DOCUMENTATION = Path(__file__).resolve().parents[3] / "docs" / "loading.md"


def load(folder: Path, name: str) -> dict[str, int]:
    path = folder / "crm.csv"
    path.write_bytes(NASTY[name].content)
    out = StringIO()
    mapping = str(write_mapping(folder))
    call_command("load", path, source="crm", mapping=mapping, json=True, stdout=out)
    return json.loads(out.getvalue())


def value_of(record: SourceRecord, attribute: str) -> str:
    if attribute == "source_updated_at":
        return str(localdate(record.source_updated_at))
    return getattr(record, attribute)


@pytest.mark.parametrize("name", [name for name, file in NASTY.items() if not file.refused])
def test_a_nasty_file_is_loaded_as_a_careful_person_would(tmp_path, name):
    """NUL, halves of characters, encodings, cells (A-IMP-05); dates, tags, formulas (A-IMP-06)."""
    file = NASTY[name]

    figures = load(tmp_path, name)

    found = {
        record.source_key: {a: value_of(record, a) for a in file.loaded.get(record.source_key, {})}
        for record in SourceRecord.objects.all()
    }
    assert found == file.loaded
    rejected = RejectedRow.objects.order_by("line").values_list("line", "reason")
    assert tuple(rejected) == file.rejected
    assert figures["stale"] == file.stale
    for key, attribute, code in file.issues:
        assert [attribute, code] in SourceRecord.objects.get(source_key=key).issues
    assert load(tmp_path, name)["same"] == figures["new"]


@pytest.mark.parametrize("name", [name for name, file in NASTY.items() if file.refused])
def test_a_file_that_is_none_is_refused_in_one_line_and_leaves_nothing(tmp_path, settings, name):
    """Pictures, web pages, cut off and locked archives, doubled headers (A-IMP-04, A-IMP-05)."""
    settings.DATA_DIR = tmp_path / "data"

    with pytest.raises(CommandError, match=NASTY[name].refused) as refusal:
        load(tmp_path, name)

    assert refusal.value.returncode == 1
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("crm.csv: ")
    for model in (SourceSystem, FieldMapping, LoadBatch, SourceRecord, Job):
        assert not model.objects.exists()
    assert not [path for path in settings.DATA_DIR.rglob("*") if path.is_file()]


def test_the_documentation_lists_every_nasty_file():
    text = DOCUMENTATION.read_text(encoding="utf-8")
    table = text.partition("## Nasty files")[2].partition("\n## ")[0]
    listed = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]

    assert listed[1:] == list(NASTY)


def test_every_reason_has_words():
    reasons = {reason for file in NASTY.values() for _line, reason in file.rejected}

    assert reasons <= set(rejects.WORDS)
