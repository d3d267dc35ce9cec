"""Invent the demo company and load its three files like anyone's."""

import json
from argparse import BooleanOptionalAction
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.demo_cases import make_cases
from consent.demo import open_doors
from mdm import jobs
from mdm.demo.company import CompanyFiles, write_company
from mdm.figures import readable
from mdm.models import SourceSystem
from mdm.quality_figures import COUNT_QUALITY

DEFAULT_ROWS = 5000
DEFAULT_SEED = 1
_MAPPINGS = Path(settings.BASE_DIR) / "mdm" / "mappings"
_STAMP = "company.json"
_FEWEST_VISITORS = 20
_ROWS_A_VISITOR = 25


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Where the demo company lies, and which one it is."""

    path: Path

    def described(self) -> dict[str, int] | None:
        """Give rows and seed of the company that is there, or None."""
        stamp = self.path / _STAMP
        if not stamp.exists():
            return None
        written: dict[str, int] = json.loads(stamp.read_text(encoding="utf-8"))
        return written

    def write(self, *, rows: int, seed: int) -> None:
        """Invent the company; the stamp is written last, so half a company is written again."""
        write_company(self.path, rows=rows, seed=seed)
        stamp = json.dumps({"rows": rows, "seed": seed})
        (self.path / _STAMP).write_text(stamp, encoding="utf-8")


_LABELS = {"Web shop": gettext_lazy("Web shop"), "Web form": gettext_lazy("Web form")}


def _name_sources() -> None:
    """Name the sources in the language of the demo, where nobody has named them otherwise."""
    for source in SourceSystem.objects.filter(label__in=_LABELS):
        source.label = str(_LABELS[source.label])
        source.save(update_fields=["label"])


class Command(BaseCommand):
    """Write the company once, then load and match; a second call goes on with what is there."""

    help = (
        "Invent a French retailer (CRM, web shop, newsletter), load its files through `load` "
        "and match them. A second call goes on with the company that is there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare size, seed and whether to match."""
        parser.add_argument("--rows", type=int, help=f"records in all (default {DEFAULT_ROWS})")
        parser.add_argument("--seed", type=int, help=f"another company (default {DEFAULT_SEED})")
        parser.add_argument(
            "--match", action=BooleanOptionalAction, default=True, help="find duplicates, too"
        )

    def handle(self, *args: Any, rows: int | None, seed: int | None, **options: Any) -> None:
        """Write, load, match."""
        if rows is not None and rows < 1:
            raise CommandError(_("--rows must be 1 or more."))
        folder = DemoFolder(Path(settings.DATA_DIR) / "demo")
        self._ensure_company(folder, rows, seed)
        files = CompanyFiles.in_folder(folder.path)
        for code in ("crm", "shop", "newsletter"):
            self._load(getattr(files, code), code)
        if options["match"]:
            call_command("match", stdout=self.stdout, stderr=self.stderr)
        came = self._open_doors(folder)
        _name_sources()
        made = make_cases(folder.path, seed=(folder.described() or {}).get("seed", DEFAULT_SEED))
        if options["match"] and (came or made):  # By the form, and in the broker's file.
            call_command("match", scope="changed", stdout=self.stdout, stderr=self.stderr)
        if came or made:
            jobs.run_now(jobs.create(COUNT_QUALITY, {}, by=None))  # These came by no load.

    def _open_doors(self, folder: DemoFolder) -> int:
        company = folder.described() or {"rows": DEFAULT_ROWS, "seed": DEFAULT_SEED}
        people = max(_FEWEST_VISITORS, company["rows"] // _ROWS_A_VISITOR)
        if came := open_doors(seed=company["seed"], people=people):
            self.stdout.write(
                ngettext(
                    "%(count)d customer signed up by the form.",
                    "%(count)d customers signed up by the form.",
                    came,
                )
                % {"count": came}
            )
        return came

    def _ensure_company(self, folder: DemoFolder, rows: int | None, seed: int | None) -> None:
        there = folder.described()
        if there is None:
            rows, seed = rows or DEFAULT_ROWS, DEFAULT_SEED if seed is None else seed
            folder.write(rows=rows, seed=seed)
            self.stdout.write(
                _("Invented a company of %(rows)s records.") % readable({"rows": rows})
            )
        elif rows in (None, there["rows"]) and seed in (None, there["seed"]):
            message = _("Going on with the company of %(rows)s records that is there.")
            self.stdout.write(message % readable(there))
        else:
            raise CommandError(
                _(
                    "A demo company of %(rows)d records (seed %(seed)d) is already there. "
                    "Run `make demo-reset` to start over."
                )
                % there
            )

    def _load(self, path: Path, code: str) -> None:
        mapping = _MAPPINGS / f"demo-{code}.toml"
        call_command(
            "load",
            str(path),
            source=code,
            mapping=str(mapping),
            stdout=self.stdout,
            stderr=self.stderr,
        )
