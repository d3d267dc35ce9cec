"""The process beside a load makes it faster and nothing else: it may die at any moment."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.timezone import get_default_timezone, localdate

from mdm.loading import preparation
from mdm.loading.candidates import Staged
from mdm.loading.preparation import Preparation
from mdm.loading.rows import RowReader
from mdm.loading.staging import Stage, stage
from mdm.mapping import FileOptions
from mdm.mapping_parsing import parse_mapping
from mdm.reading.tables import open_table
from tests.mdm.loading.files import COLUMNS, DOCUMENT, csv_bytes, row


@pytest.fixture
def reader() -> RowReader:
    return RowReader(
        parse_mapping(DOCUMENT), region="FR", today=localdate(), zone=get_default_timezone()
    )


@pytest.fixture
def staged(tmp_path: Path, reader: RowReader) -> Stage:
    """A staged file of 60 rows and a line to reject."""
    rows = [
        row(f"C{n}", email=f"c{n}@example.org", accord="O", tel="06 39 98 00 11")
        for n in range(60)
    ]
    source = tmp_path / "crm.csv"
    source.write_bytes(csv_bytes(rows) + b"C99;cut off\r\n")
    table = open_table(source, FileOptions(), COLUMNS)
    return stage(table, reader, tmp_path / "staged", lambda lines: None)


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even the smallest file gets a process beside."""
    monkeypatch.setattr(preparation, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def prepared(staged: Stage, reader: RowReader, **options: int) -> Preparation:
    return Preparation(staged.path, reader, staged.line_count, **{"size": 7, **options})


def killed_after_the_second(preparation: Preparation) -> Iterator[Staged]:
    for number, chunk in enumerate(preparation):
        if number == 1:
            assert preparation._process is not None
            os.kill(preparation._process.pid, signal.SIGKILL)
            preparation._process.wait()
        yield chunk


@pytest.mark.usefixtures("beside")
def test_a_process_beside_prepares_what_this_one_would(staged: Stage, reader: RowReader):
    here = list(prepared(staged, reader))

    with prepared(staged, reader) as preparation:
        assert preparation._process is not None
        assert list(preparation) == here

    assert sum(len(chunk.rows) for chunk in here) == 60
    assert next(chunk.rejects for chunk in here if chunk.rejects)[0][4] == "too_few_cells"


@pytest.mark.usefixtures("beside")
def test_a_killed_process_beside_costs_time_and_no_row(staged: Stage, reader: RowReader):
    here = list(prepared(staged, reader))

    with prepared(staged, reader) as preparation:
        assert list(killed_after_the_second(preparation)) == here


@pytest.mark.usefixtures("beside")
def test_preparing_goes_on_from_any_line(staged: Stage, reader: RowReader):
    first, *others = list(prepared(staged, reader))

    with prepared(staged, reader, offset=first.end) as preparation:
        assert list(preparation) == others


@pytest.mark.usefixtures("beside")
def test_nothing_is_standardised_that_nobody_asked_for(staged: Stage, reader: RowReader):
    with prepared(staged, reader, standardise=False) as preparation:
        assert {row.standard for chunk in preparation for row in chunk.rows} == {None}


@pytest.mark.usefixtures("beside")
def test_the_process_beside_ends_with_the_load(staged: Stage, reader: RowReader):
    with prepared(staged, reader) as preparation:
        next(iter(preparation))
        process = preparation._process

    assert process is not None
    assert process.returncode is not None
