"""Every set by name: written as files, mapped as the product proposes."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.elsewhere import countries, firms, past, tills
from benchmarks.elsewhere.words import Line
from benchmarks.real_input import Input, Sample


@dataclass(frozen=True, slots=True)
class Invented:
    """One set: its name in tables, its region, what makes its lines, and what tools compare."""

    title: str
    region: str
    lines: Callable[[Random], Iterator[Line]]
    columns: tuple[str, ...]


_LIVING = (
    "given_name", "family_name", "street", "postcode", "city", "birth_date", "email", "phone",
)  # fmt: skip
SETS = {
    "census": Invented(
        "Two counts, ten years apart", "GB", past.census,
        ("given_name", "family_name", "sex", "birth_date", "street", "city"),
    ),
    "parish": Invented(
        "Parish registers", "FR", past.parish,
        ("given_name", "family_name", "sex", "birth_date", "city"),
    ),
    "german": Invented("German customers", "DE", countries.GERMAN, _LIVING),
    "spanish": Invented("Spanish customers", "ES", countries.SPANISH, _LIVING),
    "italian": Invented("Italian customers", "IT", countries.ITALIAN, _LIVING),
    "dutch": Invented("Dutch customers", "NL", countries.DUTCH, _LIVING),
    "firms": Invented(
        "Organisations, few numbers", "FR", firms.lines,
        ("organisation", "identifier", "website", "street", "postcode", "city", "phone"),
    ),
    "tills": Invented(
        "Cards of tills", "FR", tills.lines, ("given_name", "family_name", "postcode", "phone")
    ),
    "letters": Invented(
        "Names and addresses only", "GB", tills.letters,
        ("given_name", "family_name", "street", "postcode", "city"),
    ),
}  # fmt: skip


def invented_sample(name: str, folder: Path) -> Sample:
    """Write the files of a set with their mappings and the truth."""
    invented = SETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    lines = list(invented.lines(Random(name)))
    # Lines of one person stand together: nobody may profit from that.
    Random(7).shuffle(lines)
    by_source: dict[str, list[tuple[str, Line]]] = {}
    for number, line in enumerate(lines):
        by_source.setdefault(line.source, []).append((f"{line.source[0]}{number}", line))
    inputs = []
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as stream:
        truth = csv.writer(stream)
        truth.writerow(("source", "source_key", "entity"))
        for source, keyed in sorted(by_source.items()):
            truth.writerows((source, key, line.entity) for key, line in keyed)
            file = folder / f"{source}.csv"
            _write(file, keyed)
            inputs.append(Input(source, _mapped(file, source, invented.region), file))
    return Sample(invented.title, tuple(inputs), folder / "truth.csv")


def _write(file: Path, keyed: list[tuple[str, Line]]) -> None:
    headings = list(dict.fromkeys(heading for _, line in keyed for heading in line.cells))
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("id", *headings))
        for key, line in keyed:
            writer.writerow((key, *(line.cells.get(heading, "") for heading in headings)))


def _mapped(file: Path, source: str, region: str) -> Path:
    """Write the mapping that the product proposes for a file, as its page would."""
    from mdm.mapping_documents import proposed_entry, to_toml
    from mdm.proposals.columns import ColumnSample, propose

    with file.open(encoding="utf-8", newline="") as stream:
        headings, *rows = list(csv.reader(stream))[:1001]
    columns = [
        ColumnSample(heading, tuple(row[n] for row in rows if row[n].strip()), len(rows))
        for n, heading in enumerate(headings)
    ]
    entries = [
        proposed_entry(column, proposal)
        for column, proposal in zip(columns, propose(columns, region=region), strict=True)
    ]
    about = {"label": source, "trust": 50, "region": region, "file_mode": "delta"}
    document = {"source": about, "column": [entry for entry in entries if entry]}
    path = file.with_suffix(".toml")
    path.write_text(to_toml(document), encoding="utf-8")
    return path
