"""The doors of the state machine: rows as a file brings them, evidence as a run does."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now

from matching import former
from matching.models import MatchRun, PairEvidence, RuleSet
from matching.neighbourhood import settle
from matching.undoing import start_preview, start_undo
from mdm import jobs
from mdm.loading.candidates import Candidate
from mdm.loading.deletion import delete
from mdm.loading.work import readers_of
from mdm.loading.writing import Chunk, ChunkWriter
from mdm.models import LoadBatch, SourceRecord, SourceSystem
from tests.identity.oracle import AUTOMATIC
from tests.matching.factories import make_evidence
from tests.mdm.factories import FieldMappingFactory, LoadBatchFactory, SourceSystemFactory

SOURCES = {"crm": (90, False), "erp": (80, True), "web": (50, False)}
"""Source → trust, and whether it holds a person once."""
_COLUMNS = ("source_key", "given_name", "email", "identifier")


def make_sources() -> dict[str, LoadBatch]:
    """Create the sources with a mapping, and the batch that each row comes in."""
    document = {
        "column": [
            *({"name": name, "attribute": name} for name in _COLUMNS),
            {"name": "moment", "attribute": "updated_at", "format": "%Y-%m-%d"},
        ]
    }
    batches = {}
    for code, (trust, is_unique) in SOURCES.items():
        source = SourceSystemFactory.create(
            code=code, trust=trust, one_record_per_person=is_unique
        )
        mapping = FieldMappingFactory.create(source=source, document=document)
        batches[code] = LoadBatchFactory.create(source=source, mapping=mapping)
    assert SourceSystem.objects.count() == len(SOURCES)
    return batches


def load_row(batch: LoadBatch, key: str, moment: str, values: dict[str, str]) -> dict[str, int]:
    """Store one row as a file's is, then settle it as a run over what changed does.

    Returns what became of the row.
    """
    cells = {**dict.fromkeys(_COLUMNS, ""), "source_key": key, "moment": moment, **values}
    readers: Any = readers_of(batch)
    row = Candidate.of(1, cells, readers[batch.mapping_id])
    with transaction.atomic():
        counts, _issues = ChunkWriter(batch, readers).write(Chunk([row]))
        touched = SourceRecord.objects.filter(source=batch.source_id, source_key=key)
        settle(touched.values_list("pk", flat=True), by=None, reason="test")
    return counts


def delete_record(batch: LoadBatch, record_id: int) -> None:
    """Let a full file lack the record."""
    with transaction.atomic():
        delete(batch, [record_id])


def find(scores: Mapping[tuple[int, int], float]) -> MatchRun:
    """Replace the evidence of these pairs as a run does, and settle."""
    rules, _created = RuleSet.objects.get_or_create(version=1, defaults={"status": "active"})
    row = MatchRun.objects.create(rule_set=rules, keeps_former=True, finished_at=now())
    with transaction.atomic():
        records = SourceRecord.objects.in_bulk({record for pair in scores for record in pair})
        for (left, right), score in scores.items():
            known = PairEvidence.objects.filter(left=left, right=right)
            former.keep(known, row.pk)
            known.delete()
            make_evidence(
                records[left], records[right], score, automatic=score >= AUTOMATIC, run=row
            )
        settle(records, by=None, reason="test")
    return row


def undo_run(row: MatchRun, *, by: User) -> tuple[dict[str, Any], dict[str, Any]]:
    """Undo a run as a worker does. Returns what the preview told, and what was done."""
    told = jobs.run_now(start_preview(row, by=by, is_foreground=True)).result
    done = jobs.run_now(start_undo(row, by=by, reason="test", is_foreground=True)).result
    return dict(told or {}), dict(done or {})
