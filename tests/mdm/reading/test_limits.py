"""Memory and time that reading takes, measured in a process of its own under hard limits."""

import gzip
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mdm.reading.workbooks import parts, text_row, write

# Past these the kernel refuses memory or ends the process: no test can pass by being patient.
# Each file is read in a fork of its own, so that Django is imported once for all of them.
SCRIPT = """
import json, os, resource, sys
import django
django.setup()
from pathlib import Path
from mdm.loading.stored_files import LoadRefused, store
from mdm.mapping import FileOptions
from mdm.reading.rows import FileRefused
from mdm.reading.tables import open_table

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

def virtual():
    return int(Path("/proc/self/statm").read_text().split()[0]) * 4096

def read(path, cpu, memory):
    before = resident()
    resource.setrlimit(resource.RLIMIT_AS, (virtual() + memory * 1_000_000,) * 2)
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent) + cpu + 1,) * 2)
    counts = {"rows": 0, "bad": 0, "refused": ""}
    try:
        with open(path, "rb") as file:
            stored = store(file, "upload")
        for row in open_table(stored.location, FileOptions(), ("id", "name")).rows():
            counts["rows" if len(row) == 2 else "bad"] += 1
    except (FileRefused, LoadRefused) as refusal:
        counts["refused"] = str(refusal)
    [peak] = [  # Of this program alone; getrusage would count the one that started it.
        int(line.split()[1]) / 1000
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    print(json.dumps({**counts, "growth": peak - before}), flush=True)

for asked in sys.stdin:
    if not (child := os.fork()):
        status = 1
        try:
            read(*json.loads(asked))
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if status:
        print(json.dumps({"ended": status}), flush=True)
"""

ReadApart = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def read_apart() -> Iterator[ReadApart]:
    """Store and read a file in a process that may use so much processor time and memory."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )

    def read(path: Path, *, seconds: int, megabytes: int) -> dict[str, Any]:
        process.stdin.write(json.dumps([str(path), seconds, megabytes]) + "\n")
        process.stdin.flush()
        done = json.loads(process.stdout.readline())
        assert "ended" not in done, f"the kernel or an error ended it: {done['ended']}"
        return done

    with process:
        yield read
        process.stdin.close()


ROWS = 100_000


def csv_lines() -> Iterator[str]:
    yield "id;name;email;city\n"
    yield from (f"C{n};LE GOFF {n};c{n}@example.org;Orléans\n" for n in range(ROWS))


def write_csv(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(csv_lines())


def write_packed_csv(path: Path) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(csv_lines())


def write_json_lines(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for n in range(ROWS):
            file.write(
                json.dumps({"id": n, "name": f"LE GOFF {n}", "to": {"city": "Brest"}}) + "\n"
            )


def write_workbook(path: Path) -> None:
    strings = "".join(f"<si><t>LE GOFF {n}</t></si>" for n in range(ROWS))
    rows = (f'<row><c><v>{n}</v></c><c t="s"><v>{n}</v></c></row>' for n in range(ROWS))
    write(path, parts(text_row("id", "name"), *rows, strings=f"<sst>{strings}</sst>"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [write_csv, write_packed_csv, write_json_lines, write_workbook],
    ids=lambda f: f.__name__,
)
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, read_apart: ReadApart, make: Callable[[Path], None]
):
    make(tmp_path / "file")

    done = read_apart(tmp_path / "file", seconds=60, megabytes=120)

    assert (done["rows"], done["refused"]) == (ROWS, "")
    assert done["growth"] < 40


def write_bomb_of_strings(path: Path) -> None:
    """200 MB of shared strings in half a megabyte (A-IMP-01)."""
    strings = "<sst><si><t>" + "a" * 200_000_000 + "</t></si></sst>"
    write(path, parts(text_row("id", "name"), strings=strings))


def write_unsuspicious_bomb(path: Path) -> None:
    """A million strings that pack no better than real ones; the last is needed."""
    dice = random.Random(1)
    some = "".join(f"<si><t>{dice.randrange(100)}</t></si>" for _ in range(100_000))
    row = '<row><c t="s"><v>999999</v></c></row>'
    write(path, parts(text_row("id", "name"), row, strings=f"<sst>{some * 10}</sst>"))


def write_sparse_sheet(path: Path) -> None:
    """One cell at the far end (A-IMP-02)."""
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    write(path, parts(text_row("id", "name"), far))


def write_blank_rows(path: Path) -> None:
    rows = (f'<row r="{n}"><c/></row>' for n in range(2, 300_000))
    write(path, parts(text_row("id", "name"), *rows))


def write_gzip_bomb(path: Path) -> None:
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb") as file:
        for _ in range(150):
            file.write(bytes(1_000_000))
    path.write_bytes(content.getvalue())


def write_endless_line(path: Path) -> None:
    with path.open("w") as file:
        file.write("id;name\n1;")
        for _ in range(150):
            file.write("a" * 1_000_000)


def write_endless_object(path: Path) -> None:
    with path.open("w") as file:
        file.write('{"id": 1, "name": ""}\n{"id": 2, "name": "')
        for _ in range(150):
            file.write("a" * 1_000_000)


def write_many_names(path: Path) -> None:
    with path.open("w") as file:
        for n in range(30_000):
            file.write(json.dumps({"id": n, "name": "x", f"k{n}": 1, f"l{n}": {"m": 2}}) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "seconds", "ending"),
    [
        (write_bomb_of_strings, 2, "refused"),
        (write_sparse_sheet, 2, "bad"),
        (write_blank_rows, 5, "nothing"),
        (write_gzip_bomb, 2, "refused"),
        (write_endless_line, 10, "bad"),
        (write_endless_object, 10, "bad"),
        (write_many_names, 20, "rows"),
        (write_unsuspicious_bomb, 60, "rows"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bomb_costs_neither_memory_nor_time(tmp_path, read_apart, make, seconds, ending):
    make(tmp_path / "file")

    done = read_apart(tmp_path / "file", seconds=seconds, megabytes=200)

    assert done["growth"] < 100
    found = [name for name in ("rows", "bad", "refused") if done[name]]
    assert (found[-1] if found else "nothing") == ending
