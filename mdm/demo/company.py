"""Invent the company: people, their lines in three systems, and the truth about who is who."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from random import Random
from typing import TypeVar

from mdm.demo import crm, newsletter, shop
from mdm.demo.files import write_csv, write_workbook
from mdm.demo.households import Neighbourhood
from mdm.demo.registrations import LINES_PER_PERSON, Registration, register

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class CompanyFiles:
    """Where the files of the demo company lie."""

    crm: Path
    shop: Path
    newsletter: Path
    truth: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "CompanyFiles":
        """Give the paths in a folder, whether the files exist or not."""
        return cls(
            crm=folder / "crm.csv",
            shop=folder / "shop.xlsx",
            newsletter=folder / "newsletter.csv",
            truth=folder / "truth.csv",
        )

    def exist(self) -> bool:
        """Tell whether the company was written to the end; the truth is written last."""
        return self.truth.exists()


def write_company(
    folder: Path, rows: int = 5000, seed: int = 1, today: date | None = None
) -> CompanyFiles:
    """Write crm.csv, shop.xlsx, newsletter.csv and truth.csv with `rows` records in all.

    The same rows, seed and day give the same content. `today` (default: the real one) is the day
    of the export: sales, contracts and consents are as old as they would be then. On another day
    they are the same people.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = CompanyFiles.in_folder(folder)
    files.truth.unlink(missing_ok=True)
    now = datetime.combine(today or datetime.now(UTC).date(), time.min)
    rng = Random(seed)  # noqa: S311 - invented data, nothing secret
    neighbourhood = Neighbourhood(rng, people=int(rows / LINES_PER_PERSON), today=now.date())
    lines = register(rng, neighbourhood, rows=rows, now=now)
    _write_sources(files, rng, lines, now)
    write_csv(files.truth, ("source", "source_key", "entity"), _truth(lines))
    return files


def _write_sources(
    files: CompanyFiles, rng: Random, lines: dict[str, list[Registration]], now: datetime
) -> None:
    crm_rows = _rows(rng, lines["crm"], crm.crm_row)
    write_csv(files.crm, crm.COLUMNS, crm_rows, encoding="cp1252", delimiter=";", line_end="\r\n")
    shop_rows = _rows(rng, lines["shop"], shop.shop_row)
    write_workbook(files.shop, shop.COLUMNS, shop_rows, sheet=shop.SHEET, now=now)
    newsletter_rows = _rows(rng, lines["newsletter"], newsletter.newsletter_row)
    write_csv(files.newsletter, newsletter.COLUMNS, newsletter_rows)


def _rows(
    rng: Random,
    registrations: Sequence[Registration],
    write_row: Callable[[Random, int, Registration], Row],
) -> Iterator[Row]:
    for number, registration in enumerate(registrations, start=1):
        yield write_row(rng, number, registration)


def _truth(lines: dict[str, list[Registration]]) -> Iterator[tuple[str, str, int]]:
    keys: dict[str, Callable[[int], str | int]] = {
        "crm": crm.crm_key,
        "shop": shop.shop_key,
        "newsletter": newsletter.newsletter_key,
    }
    for source, registrations in lines.items():
        for number, registration in enumerate(registrations, start=1):
            yield source, str(keys[source](number)), registration.person.number
