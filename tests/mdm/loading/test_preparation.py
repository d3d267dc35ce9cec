"""The process beside a load makes it faster and nothing else: it may die at any moment."""

import fcntl
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.utils.timezone import get_default_timezone, localdate
from hypothesis import given
from hypothesis import strategies as st

from mdm.loading import preparation
from mdm.loading.candidates import Staged, cells_of, line_of, read_line
from mdm.loading.preparation import Preparation
from mdm.loading.rows import RowReader, cells_text
from mdm.loading.staging import Stage, stage
from mdm.mapping import FileOptions
from mdm.mapping_parsing import parse_mapping
from mdm.reading.tables import open_table
from tests.instance import wait_until
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


def prepared_here(staged: Stage, reader: RowReader) -> list[Staged]:
    return list(Preparation(staged.path, reader, size=7))


@contextmanager
def prepared(staged: Stage, reader: RowReader, **options: int) -> Iterator[Preparation]:
    with Preparation(staged.path, reader, **{"size": 7, **options}) as preparation:
        preparation.lay_down(staged.line_count)
        yield preparation


def killed_after_the_second(preparation: Preparation) -> Iterator[Staged]:
    for number, chunk in enumerate(preparation):
        if number == 1:
            assert preparation._process is not None
            os.kill(preparation._process.pid, signal.SIGKILL)
            preparation._process.wait()
        yield chunk


@given(st.dictionaries(st.text(), st.text()))
def test_cells_are_written_as_json_writes_them(cells: dict[str, str]):
    """What changes here, changes the hash of every row that is stored."""
    assert cells_text(cells) == json.dumps(
        cells, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )


@given(
    st.lists(
        st.dictionaries(st.text(), st.text() | st.sampled_from(['"', "\\", '","', "}]", "a\nb"])),
        min_size=1,
        max_size=3,
    )
)
def test_rows_are_read_back_as_they_were_laid_down(rows: list[dict[str, str]]):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "staged"
        path.write_bytes(b"".join(line_of(n, cells) for n, cells in enumerate(rows)))

        with path.open("rb") as file:
            lines = list(file)

    assert list(map(read_line, lines)) == [[n, cells] for n, cells in enumerate(rows)]
    assert [json.loads(cells_of(line)) for line in lines] == rows


@pytest.mark.usefixtures("beside")
def test_a_process_beside_prepares_what_this_one_would(staged: Stage, reader: RowReader):
    here = prepared_here(staged, reader)

    with prepared(staged, reader) as preparation:
        assert preparation._process is not None
        assert list(preparation) == here

    assert sum(len(chunk.rows) for chunk in here) == 60
    assert next(chunk.rejects for chunk in here if chunk.rejects)[0][4] == "too_few_cells"


def test_what_prepares_rows_does_not_wait_for_the_database_layer_to_be_imported():
    """It takes longer than preparing a thousand rows, and the first chunk waits for it."""
    program = "import sys, mdm.loading.preparation; sys.exit('django.db' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.usefixtures("beside")
def test_a_killed_process_beside_costs_time_and_no_row(staged: Stage, reader: RowReader):
    here = prepared_here(staged, reader)

    with prepared(staged, reader) as preparation:
        assert list(killed_after_the_second(preparation)) == here


@pytest.mark.usefixtures("beside")
def test_preparing_goes_on_from_any_line(staged: Stage, reader: RowReader):
    first, *others = prepared_here(staged, reader)

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


@pytest.mark.usefixtures("beside")
def test_the_process_beside_stands_back_once_rows_are_written(staged: Stage, reader: RowReader):
    with prepared(staged, reader) as preparation:
        assert preparation._process is not None
        pid = preparation._process.pid
        while_read = os.getpriority(os.PRIO_PROCESS, pid)

        next(iter(preparation))

        assert while_read == os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(while_read + 10, 19)


@pytest.mark.usefixtures("beside")
def test_a_platform_that_knows_no_priorities_loads_all_the_same(
    staged: Stage, reader: RowReader, monkeypatch: pytest.MonkeyPatch
):
    here = prepared_here(staged, reader)
    monkeypatch.delattr(os, "setpriority")

    with prepared(staged, reader) as preparation:
        assert list(preparation) == here


@pytest.fixture
def growing(staged: Stage, tmp_path: Path) -> Iterator[int]:
    """Lay the lines down one after the other: yield how many there are."""

    def lay() -> Iterator[int]:
        with (tmp_path / "growing").open("w") as file:
            for count, text in enumerate(staged.path.read_text().splitlines(), start=1):
                file.write(f"{text}\n")
                file.flush()
                yield count

    return lay()


@pytest.mark.usefixtures("beside")
def test_chunks_are_prepared_while_lines_are_still_laid_down(
    staged: Stage, reader: RowReader, growing: Iterator[int], tmp_path: Path
):
    here = prepared_here(staged, reader)

    with Preparation(tmp_path / "growing", reader, size=7) as preparation:

        def prepared_all(line_count: int) -> bool:
            preparation.lay_down(line_count)
            asked, given = len(preparation._coming), len(preparation._sizes)
            assert asked <= line_count // 7
            assert asked - given <= 2
            return given == line_count // 7

        for count in growing:
            wait_until(partial(prepared_all, count), f"the chunks of {count} lines")
        assert preparation.is_ready
        assert list(preparation) == here


@pytest.mark.usefixtures("beside")
def test_a_worker_with_very_many_open_files_hears_of_prepared_chunks(
    staged: Stage, reader: RowReader
):
    here = prepared_here(staged, reader)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))

    with prepared(staged, reader) as ahead:
        process = ahead._process
        assert process is not None
        assert process.stdout is not None
        high = fcntl.fcntl(process.stdout.fileno(), fcntl.F_DUPFD, 1100)
        process.stdout.close()
        process.stdout = os.fdopen(high, "rb")
        wait_until(lambda: ahead.is_ready, "the first chunk")
        assert list(ahead) == here
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("beside")
def test_no_more_rows_wait_than_the_most(
    staged: Stage, reader: RowReader, monkeypatch: pytest.MonkeyPatch
):
    here = prepared_here(staged, reader)
    monkeypatch.setattr(preparation, "_MOST_AHEAD", 22)

    with prepared(staged, reader) as ahead:
        assert len(ahead._coming) == 2
        for chunk, same in zip(ahead, here, strict=True):
            assert chunk == same
            assert len(ahead._coming) <= 3


@pytest.mark.usefixtures("beside")
def test_what_was_read_leaves_its_place_to_what_comes(
    staged: Stage, reader: RowReader, monkeypatch: pytest.MonkeyPatch
):
    here = prepared_here(staged, reader)
    all_of_it = len(pickle.dumps([one.plain for one in here], pickle.HIGHEST_PROTOCOL))
    monkeypatch.setattr(preparation, "_MOST_AHEAD", 22)

    with prepared(staged, reader) as ahead:
        assert list(ahead) == here
        assert ahead._spool is not None
        assert os.fstat(ahead._spool.fileno()).st_size < all_of_it / 2


@pytest.mark.usefixtures("beside")
def test_a_process_that_dies_while_lines_are_laid_down_costs_no_row(
    staged: Stage, reader: RowReader, growing: Iterator[int], tmp_path: Path
):
    here = prepared_here(staged, reader)

    with Preparation(tmp_path / "growing", reader, size=7) as preparation:
        for count in growing:
            preparation.lay_down(count)
            if count == 20:
                assert preparation._process is not None
                preparation._process.kill()
                preparation._process.wait()
        assert list(preparation) == here
