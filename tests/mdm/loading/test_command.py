"""`load` from a shell: counts on success, one clear line and status 1 on every bad input."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mdm.models import FieldMapping, Job, LoadBatch, SourceRecord, SourceSystem
from tests.mdm.loading.files import DOCUMENT, csv_bytes, row, write_mapping

pytestmark = pytest.mark.django_db


def run(file: Path, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("load", file, source="crm", json=True, stdout=out, **options)
    [line] = out.getvalue().splitlines()
    return json.loads(line)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "crm.csv"
    path.write_bytes(csv_bytes([row("C1"), row("C2")]))
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    return str(write_mapping(tmp_path))


def test_the_counts_are_one_json_object(file, mapping):
    figures = run(file, mapping=mapping)

    assert (figures["source"], figures["rows"], figures["new"]) == ("crm", 2, 2)
    assert run(file)["same"] == 2


def test_the_counts_are_told_in_words(file, mapping, capsys):
    call_command("load", file, source="crm", mapping=mapping)

    assert "2" in capsys.readouterr().out


def test_a_mapping_that_ships_is_known_by_its_name(tmp_path):
    path = tmp_path / "records.csv"
    path.write_text(
        "unique_id,first_name,surname,dob,city,email\n1,Robert,Alan,1971-06-24,Leeds,r@example.org\n"
    )

    assert run(path, mapping="splink-fake")["new"] == 1


def broken(**entry: str) -> dict[str, Any]:
    return {**DOCUMENT, "column": [*DOCUMENT["column"], {"name": "x", **entry}]}


@pytest.mark.parametrize(
    ("content", "document", "words"),
    [
        (b"", DOCUMENT, r"crm\.csv"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", DOCUMENT, "PNG"),
        (b"id;nom\n1;2\n", DOCUMENT, "prenom"),
        (csv_bytes([row("é")]), {**DOCUMENT, "file": {"encoding": "utf-8"}}, "2"),
        (csv_bytes([row("C1")]), broken(attribute="emial"), "email"),
        (csv_bytes([row("C1")]), {"column": DOCUMENT["column"]}, "crm"),
    ],
    ids=["empty", "no csv", "column", "encoding", "attribute", "source"],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, content, document, words):
    path = tmp_path / "crm.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=words) as refusal:
        run(path, mapping=str(write_mapping(tmp_path, document)))

    assert refusal.value.returncode == 1
    assert "\n" not in str(refusal.value)
    for model in (SourceSystem, FieldMapping, LoadBatch, SourceRecord, Job):
        assert not model.objects.exists()


def test_an_unknown_source_is_refused(file):
    with pytest.raises(CommandError, match="crm"):
        run(file)


def test_a_file_that_is_not_there_is_refused(tmp_path, mapping):
    with pytest.raises(CommandError, match="nothing"):
        run(tmp_path / "nothing.csv", mapping=mapping)
    with pytest.raises(CommandError, match="nothing"):
        run(tmp_path / "crm.csv", mapping=str(tmp_path / "nothing.toml"))


def test_a_refusal_names_the_sources_there_are(file, mapping):
    run(file, mapping=mapping)

    with pytest.raises(CommandError, match="crm"):
        call_command("load", file, source="shop")
