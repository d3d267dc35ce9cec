"""Load one file of customers."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from mdm import attribute_words, jobs
from mdm.figures import readable
from mdm.loading.batches import preview_once, start_load
from mdm.loading.database_sources import database_of
from mdm.loading.stored_files import LoadRefused
from mdm.loading.writing import COUNTS
from mdm.management.preview_text import print_preview
from mdm.mapping import MappingError
from mdm.mapping_parsing import file_options, read_document
from mdm.models import FileMode, LoadBatch
from mdm.reading import databases
from mdm.reading.rows import FileRefused
from mdm.reading.words import layout_words
from mdm.standardise.issues import WORDS, is_doubtful

_HOW_IT_IS_WRITTEN = {
    "encoding": "utf-8, cp1252 …; else found out",
    "delimiter": "; or tab …; else found out",
    "quote": "the quotation mark; else found out",
    "sheet": "the name of the sheet of a workbook; else the first with the columns",
}
_MOST_DOUBTS = 5
SHIPPED_MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"


class Command(BaseCommand):
    """Stage, standardise and upsert one file, in this process, with a progress bar."""

    # They import every page: a third of a second. `migrate` and the server ask for them.
    requires_system_checks = ()

    help = "Load one file of customers (CSV, XLSX or JSON lines, each also as .gz) for a source."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        _add_what_is_loaded(parser)
        parser.add_argument(
            "--preview", action="store_true", help="Say what would change; change nothing."
        )
        _add_how_it_is_written(parser)
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(
        self,
        *,
        file: Path | None,
        source: str,
        mapping: str | None,
        mode: str | None,
        preview: bool,
        **options: Any,
    ) -> None:
        """Load the file and print the counts; with --preview, print what they would be."""
        started = time.monotonic()
        name = file.name if file else source
        try:
            told: dict[str, Any] = {
                "source_code": source,
                "document": read_document(_mapping_path(mapping)) if mapping else None,
                "options": file_options(
                    header=options["header"],
                    **{name: options[name] for name in _HOW_IT_IS_WRITTEN},
                ),
                "mode": mode or "",
            }
            with _queried(told) if file is None else _opened(file, told) as content:
                if preview:
                    figures, samples = self._preview(content, told)
                    print_preview(self.stdout, name, figures, samples, as_json=options["json"])
                    return
                batch = start_load(content, by=None, is_foreground=True, **told)
            self._run(batch)
        except (LoadRefused, MappingError, jobs.JobFailed) as error:
            raise CommandError(f"{name}: {error}") from error
        batch.refresh_from_db()
        self._print(batch, time.monotonic() - started, as_json=options["json"])

    def _preview(
        self, content: IO[bytes], told: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, list[Any]]]:
        with _bar() as show:
            return preview_once(content, on_progress=show, **told)

    def _run(self, batch: LoadBatch) -> None:
        assert batch.job is not None  # noqa: S101  (start_load made it)
        with _bar() as show:
            jobs.run_now(batch.job, on_progress=show)

    def _print(self, batch: LoadBatch, seconds: float, *, as_json: bool) -> None:
        counts = {end: getattr(batch, f"{end}_count") for end in COUNTS}
        row_count = sum(counts.values()) - counts["deleted"]
        result = (batch.job.result if batch.job else None) or {}
        issues: dict[str, int] = result.get("issues", {})
        figures = {
            "batch": batch.pk,
            "source": batch.source.code,
            "file": batch.file_name,
            "mode": batch.mode,
            "layout": {k: v for k, v in batch.layout.items() if k != "columns"},
            "rows": row_count,
            **counts,
            "deletions_withheld": bool(result.get("deletions_withheld")),
            "issues": issues,
            "seconds": round(seconds, 3),
            "rows_per_second": round(row_count / max(seconds, 0.001)),
        }
        if as_json:
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
            return
        self.stdout.write(
            _(
                "%(file)s → %(source)s: %(rows)s rows in %(seconds)s s: %(new)s new, "
                "%(changed)s changed, %(same)s the same, %(stale)s older, %(rejected)s rejected, "
                "%(deleted)s deleted."
            )
            % readable(figures)
        )
        self.stdout.write(_("Read as %(layout)s.") % {"layout": layout_words(batch.layout)})
        self._print_doubts(issues)
        if counts["rejected"]:
            self.stdout.write(
                _("The rejected rows stand on the page of loaded file no. %(batch)d.") % figures
            )

    def _print_doubts(self, issues: dict[str, int]) -> None:
        """Print what was doubtful in most rows; all of it stands on the page of the file."""
        doubts = [name for name in issues if is_doubtful(name.partition(" ")[2])]
        for name in sorted(doubts, key=issues.__getitem__, reverse=True)[:_MOST_DOUBTS]:
            attribute, _space, code = name.partition(" ")
            count = readable({"count": issues[name]})["count"]
            words = f"{attribute_words.label(attribute)} – {WORDS.get(code, code)}"
            self.stdout.write(f"  {count} × {words}")


@contextmanager
def _opened(file: Path, told: dict[str, Any]) -> Iterator[IO[bytes]]:
    """Open a file; tell by which name."""
    told["file_name"] = file.name
    try:
        content = file.open("rb")
    except OSError as error:
        raise LoadRefused(
            _("The file cannot be read: %(reason)s."), reason=error.strerror or ""
        ) from error
    with content:
        yield content


@contextmanager
def _queried(told: dict[str, Any]) -> Iterator[IO[bytes]]:
    """Open the source's database; tell how its rows are written, and by which name."""
    variable, query = database_of(told["source_code"], told["document"])
    told |= {"options": databases.WRITTEN, "file_name": variable}
    try:
        content = databases.open_query(variable, query)
    except FileRefused as refusal:
        raise LoadRefused(refusal) from None
    with content:
        yield content


@contextmanager
def _bar() -> Iterator[jobs.OnProgress]:
    with tqdm(unit=" rows", disable=None, leave=False) as bar:

        def show(done: int, total: int | None, phase: str) -> None:
            bar.set_description(phase, refresh=False)
            bar.total = total
            bar.n = done
            bar.refresh()

        yield show


def _mapping_path(mapping: str) -> Path:
    path = Path(mapping)
    shipped = SHIPPED_MAPPINGS / f"{mapping}.toml"
    return shipped if not path.suffix and not path.exists() and shipped.exists() else path


def _add_what_is_loaded(parser: ArgumentParser) -> None:
    content = parser.add_mutually_exclusive_group(required=True)
    content.add_argument("file", type=Path, nargs="?", metavar="FILE")
    content.add_argument(
        "--from-database",
        action="store_true",
        help="Read the source's own database, by the query it names.",
    )
    parser.add_argument("--source", required=True, metavar="CODE", help="Code of the source.")
    parser.add_argument(
        "--mapping",
        metavar="FILE",
        help="Mapping as TOML or JSON, or the name of one that ships with the project.",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--full",
        dest="mode",
        action="store_const",
        const=FileMode.FULL.value,
        help="The file holds every customer of the source: what is missing is deleted.",
    )
    mode.add_argument(
        "--delta",
        dest="mode",
        action="store_const",
        const=FileMode.DELTA.value,
        help="The file holds what changed.",
    )


def _add_how_it_is_written(parser: ArgumentParser) -> None:
    for option, example in _HOW_IT_IS_WRITTEN.items():
        parser.add_argument(f"--{option}", default="", help=f"Of this file: {example}.")
    parser.add_argument(
        "--header",
        type=int,
        default=0,
        metavar="LINE",
        help="Of this file: the line with the names of the columns; else found out.",
    )
