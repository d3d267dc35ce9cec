"""`load` from a shell: counts on success, one clear line and status 1 on every bad input."""

import gzip
import json
import re
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from mdm.models import FieldMapping, Job, LoadBatch, SourceRecord, SourceSystem
from tests.mdm.loading.files import COLUMNS, DOCUMENT, csv_bytes, row, write_mapping

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


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", r"1,200 rows in \d+\.\d s: 1,200 new"), ("fr", r"1\s200 lignes en \d+,\d s : 1\s200")],
)
def test_figures_are_told_as_the_reader_writes_them(tmp_path, mapping, capsys, language, words):
    path = tmp_path / "crm.csv"
    path.write_bytes(csv_bytes([row(f"C{number}") for number in range(1_200)]))

    with translation.override(language):
        call_command("load", path, source="crm", mapping=mapping)

    assert re.search(words, capsys.readouterr().out)


def test_what_was_doubtful_is_told(tmp_path, mapping, capsys):
    path = tmp_path / "crm.csv"
    rows = [row(n, email="anne@", prenom="Jean (décédé)" if n == "1" else "Jean") for n in "123"]
    path.write_bytes(csv_bytes(rows))

    with translation.override("en"):
        call_command("load", path, source="crm", mapping=mapping)
    first, second = capsys.readouterr().out.splitlines()[2:]

    assert first == "  3 × E-mail – The value is not valid and cannot be used."
    assert second.startswith(
        "  1 × Given name – A remark in the name says that the person has died"
    )
    path.write_bytes(csv_bytes([row("4", email="anne@")]))
    assert run(path)["issues"] == {"email invalid": 1}


def test_a_packed_file_is_loaded_as_if_it_were_not(tmp_path, file, mapping):
    packed = tmp_path / "crm.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))

    assert run(packed, mapping=mapping)["new"] == 2
    assert run(file)["same"] == 2
    assert LoadBatch.objects.last().layout["packing"] == "gzip"


def test_json_lines_are_loaded(tmp_path, mapping):
    path = tmp_path / "crm.ndjson"
    path.write_text(json.dumps(row("C1")) + "\n{\n" + json.dumps(row("C2")) + "\n")

    figures = run(path, mapping=mapping)

    assert (figures["new"], figures["rejected"]) == (2, 1)
    assert LoadBatch.objects.get().rejected_rows.get().line == 2


def test_how_a_file_is_written_is_found_out_and_told(file, mapping):
    figures = run(file, mapping=mapping)

    assert figures["layout"]["format"] == "csv"
    assert figures["layout"]["delimiter"] == ";"


def test_how_this_one_file_is_written_may_be_said(tmp_path, mapping):
    path = tmp_path / "crm.csv"
    path.write_bytes(csv_bytes([row("C1", nom="LEMAÎTRE")]).replace(b";", b"#"))

    figures = run(path, mapping=mapping, delimiter="#", encoding="latin-1")

    assert figures["layout"]["encoding"] == "iso8859-1"
    assert SourceRecord.objects.get().family_name == "Lemaître"


@pytest.mark.parametrize(
    "option", [{"encoding": "klingon"}, {"encoding": "base64"}, {"delimiter": ";;"}]
)
def test_an_option_that_means_nothing_is_refused(file, mapping, option):
    with pytest.raises(CommandError, match=next(iter(option.values()))):
        run(file, mapping=mapping, **option)

    assert not LoadBatch.objects.exists()


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
        (gzip.compress(bytes(50_000_000)), DOCUMENT, "gzip"),
        (gzip.compress(csv_bytes([row("C1")]))[:-9], DOCUMENT, "gzip"),
        (gzip.compress(gzip.compress(b"id")), DOCUMENT, "gzip"),
        (b'{"id": 1}\n', DOCUMENT, "prenom"),
        (b'[{"id": 1}]', DOCUMENT, "JSON"),
    ],
    ids=[
        "empty",
        "no csv",
        "column",
        "encoding",
        "attribute",
        "source",
        "gzip bomb",
        "gzip cut off",
        "gzip twice",
        "json column",
        "json array",
    ],
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


def test_the_line_of_the_names_is_told_by_option_or_by_the_mapping(tmp_path, capsys):
    names = ";".join(COLUMNS)
    path = tmp_path / "crm.csv"
    # A line like the names stands above them: nobody but a person knows which is meant.
    path.write_text(f"{names}\n{names};remarque\n1;A;;;;;;;x\n", encoding="utf-8")
    document = {**DOCUMENT, "file": {"header": 2}}

    call_command("load", path, source="crm", mapping=str(write_mapping(tmp_path)), header=2)
    call_command("load", path, source="crm", mapping=str(write_mapping(tmp_path, document)))
    with pytest.raises(CommandError, match="1"):
        call_command("load", path, source="crm", header=101)

    assert [batch.layout["header"] for batch in LoadBatch.objects.all()] == [2, 2]
    assert SourceRecord.objects.get().raw["remarque"] == "x"


def test_a_register_of_the_dead_keeps_its_births_and_points_them_out(tmp_path):
    column = {"name": "ne_le", "attribute": "birth_date", "format": "%d/%m/%Y"}
    mapping = write_mapping(tmp_path, {**DOCUMENT, "column": [*DOCUMENT["column"], column]})
    path = tmp_path / "register.csv"
    born = {"C1": "14/02/1831", "C2": "1831", "C3": "14/02/1451"}
    rows = [{**row(key), "ne_le": value} for key, value in born.items()]
    path.write_bytes(csv_bytes(rows, (*COLUMNS, "ne_le")))

    run(path, mapping=str(mapping))

    found = SourceRecord.objects.order_by("source_key").values_list(
        "birth_date", "customer__golden__birth_date", "issues"
    )
    assert [(day, golden) for day, golden, _issues in found] == [
        (date(1831, 2, 14), date(1831, 2, 14)),
        (date(1831, 1, 1), date(1831, 1, 1)),
        (None, None),
    ]
    assert [["birth_date", "too_old"] in issues for _day, _golden, issues in found] == [
        True,
        True,
        False,
    ]
