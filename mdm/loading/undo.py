"""Undoing a whole file: every record it touched goes back to what it said before.

Records that a later file changed again keep what that file says. Records born with the file
become deleted, as if their source no longer knew them, and come back when they are loaded again.
Links stay: whether two records are one person, matching decides. What the file told about
permissions, `consent` judges: it is told of every record, and of what other files say of it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mdm import bulk, identity, jobs
from mdm.audit import acting_as, record_history
from mdm.jobs import JobRun, job
from mdm.loading import activity, carrying
from mdm.loading.earlier import RESTORED, Past, governed_by, kept_from, pasts
from mdm.loading.permissions_undone import PermissionsUndone
from mdm.loading.points import points
from mdm.loading.rows import RowReader, StandardRow
from mdm.loading.samples import Samples, differences
from mdm.loading.stored_files import SAMPLES, location
from mdm.loading.work import CHUNK_SIZE
from mdm.models import ATTRIBUTES, Job, LoadBatch, SourceRecord, SourceSystem
from mdm.quality_figures import COUNT_QUALITY, outdate
from mdm.reasons import reason_of
from mdm.signals import file_undone, undo_asked

UNDO_KIND = "undo_load"
PREVIEW_UNDO_KIND = "preview_undo"
ENDS = ("restored", "deleted", "revived", "kept")
_KEPT_SHOWN = 1000


class UndoRefused(Exception):
    """The file cannot be undone now; the text says why."""


def start_preview(batch: LoadBatch, *, by: User | None, is_foreground: bool = False) -> Job:
    """Have a job tell what undoing the file would do today.

    Raises:
        UndoRefused: when the file was never loaded, its load or undoing goes on, or it is undone.
    """
    _refuse_when_busy(batch)
    make = jobs.create if is_foreground else jobs.submit
    return make(PREVIEW_UNDO_KIND, {"batch": batch.pk}, by=by)


@transaction.atomic
def start_undo(batch: LoadBatch, *, by: User | None, is_foreground: bool = False) -> Job:
    """Have a job undo the file.

    Raises:
        UndoRefused: as start_preview does.
    """
    batch = LoadBatch.objects.select_for_update().get(pk=batch.pk)
    _refuse_when_busy(batch)
    make = jobs.create if is_foreground else jobs.submit
    batch.undo_job = make(UNDO_KIND, {"batch": batch.pk}, by=by)
    batch.save(update_fields=["undo_job"])
    previews = Job.objects.filter(kind=PREVIEW_UNDO_KIND, parameters__batch=batch.pk)
    for key in previews.values_list("pk", flat=True):
        _samples_path(str(key)).unlink(missing_ok=True)
    return batch.undo_job


def read_undo_samples(preview: Job) -> dict[str, list[Any]]:
    """Return the samples of a preview of an undoing; empty once they are out of date."""
    path = _samples_path(str(preview.pk))
    if not path.exists():
        return {}
    samples: dict[str, list[Any]] = json.loads(path.read_text(encoding="utf-8"))
    return samples


@job(PREVIEW_UNDO_KIND)
def run_preview(run: JobRun) -> Mapping[str, Any]:
    """Tell what undoing the batch of the parameters would do. Returns the counts."""
    batch = LoadBatch.objects.select_related("source", "job").get(pk=run.parameters["batch"])
    found = Samples(ENDS, seed=str(run.job.pk))
    permissions = PermissionsUndone(batch, undo_asked)
    told: Counter[str] = Counter()
    total, done, after = governed_by(batch).count(), 0, 0
    while keys := _next_keys(batch, after):
        after, done = keys[-1], done + len(keys)
        _count(found, pasts(batch, keys))
        told += permissions.of_restored(keys)
        run.progress(done, total, "comparing")
    after = 0
    while keys := permissions.next_kept(after):
        after = keys[-1]
        told += permissions.of_kept(keys)
    kept = kept_from(batch)
    found.counts["kept"] = kept.count()
    found.kept["kept"] = [
        {"key": key, "customer": customer}
        for key, customer in kept.values_list("source_key", "customer__public_id")[:_KEPT_SHOWN]
    ]
    _write_samples(run.job, found)
    return {"batch": batch.pk, "claims": 0, **found.counts, **told}


@job(UNDO_KIND)
def run_undo(run: JobRun) -> Mapping[str, Any]:
    """Undo the batch of the parameters, in chunks. Returns the counts."""
    batch = LoadBatch.objects.select_related("source", "job").get(pk=run.parameters["batch"])
    reason = reason_of(gettext_noop("Undoing of loaded file no. %(number)d"), number=batch.pk)
    cursor = {"after": 0, "kept_after": 0, "claims": 0, **dict.fromkeys(ENDS, 0)}
    cursor |= run.cursor or {}
    done = sum(cursor[end] for end in ENDS)
    total = governed_by(batch).filter(pk__gt=cursor["after"]).count() + done
    permissions = PermissionsUndone(batch, file_undone, by=run.job.requested_by)
    with acting_as(run.job.requested_by, reason):
        while keys := _next_keys(batch, cursor["after"]):
            cursor["after"], done = keys[-1], done + len(keys)
            with run.chunk(cursor=cursor, done=done, total=total, phase="undoing"):
                undone = _undo(batch, keys, permissions.readers)
                for past in undone:
                    cursor[past.end] += 1
                told = permissions.of_restored([past.record_id for past in undone])
                cursor["claims"] += told["claims"]
        while keys := permissions.next_kept(cursor["kept_after"]):
            cursor["kept_after"] = keys[-1]
            with run.chunk(cursor=cursor, done=done, total=total, phase="undoing"):
                _lock(batch)
                cursor["claims"] += permissions.of_kept(keys)["claims"]
    run.then(COUNT_QUALITY, {"source": batch.source_id})
    ends = {end: cursor[end] for end in ENDS}
    kept = kept_from(batch).count()
    return {"batch": batch.pk, **ends, "kept": kept, "claims": cursor["claims"]}


def _next_keys(batch: LoadBatch, after: int) -> list[int]:
    governed = governed_by(batch).filter(pk__gt=after).values_list("pk", flat=True)
    return list(governed[: CHUNK_SIZE[connection.vendor]])


def _undo(
    batch: LoadBatch, keys: Sequence[int], readers: Mapping[int, RowReader]
) -> Sequence[Past]:
    _lock(batch)
    still_governed = governed_by(batch).filter(pk__in=keys).values_list("pk", flat=True)
    chunk = pasts(batch, list(still_governed))
    if chunk:
        _restore(chunk)
        _retract_activity(chunk, readers, batch)
        _derive(chunk)
    return chunk


def _lock(batch: LoadBatch) -> None:
    """As loads do: nobody else writes records of the source meanwhile."""
    SourceSystem.objects.select_for_update().get(pk=batch.source_id)


def _restore(chunk: Sequence[Past]) -> None:
    """Write what each record said before; one born with the file keeps its values, deleted."""
    restored = [(p.record_id, *p.before.values.values()) for p in chunk if p.before]
    born = [past.record_id for past in chunk if past.before is None]
    if restored:
        bulk.update(SourceRecord, ("id", *RESTORED), restored)
    if born:
        SourceRecord.objects.filter(pk__in=born).update(status=SourceRecord.Status.DELETED)
    record_history(SourceRecord, [past.record_id for past in chunk], "~")


def _retract_activity(
    chunk: Sequence[Past], readers: Mapping[int, RowReader], batch: LoadBatch
) -> None:
    """Take back the sales and contracts of the file, and let those of earlier files count."""
    mappings = dict(LoadBatch.objects.filter(source=batch.source_id).values_list("pk", "mapping"))

    def read(state: Any) -> StandardRow:
        return readers[mappings[state.values["batch_id"]]].read(state.values["raw"])

    if not _tells_activity(readers):
        return
    written = [past for past in chunk if past.now.is_active]
    activity.retract(
        [(past.record_id, read(past.now)) for past in written],
        {past.record_id: [read(state) for state in past.versions] for past in written},
    )


def _tells_activity(readers: Mapping[int, RowReader]) -> bool:
    return any(reader.mapping.named("sale_date", "contract_start") for reader in readers.values())


def _derive(chunk: Sequence[Past]) -> None:
    """Bring contact points, customers, golden records and permissions up to date."""
    keys = [past.record_id for past in chunk]
    restored = [(past.record_id, past.before.record) for past in chunk if past.before]
    carrying.carry([(pk, tuple(points(record))) for pk, record in restored])
    customers = SourceRecord.objects.filter(pk__in=keys).values_list("customer_id", flat=True)
    outdate(keys[:1])
    identity.refresh(set(customers), record_ids=keys)


def _count(found: Samples, chunk: Sequence[Past]) -> None:
    places = {
        pk: place
        for pk, *place in SourceRecord.objects.filter(
            pk__in=[past.record_id for past in chunk]
        ).values_list("pk", "source_key", "customer__public_id")
    }
    for past in chunk:
        found.counts[past.end] += 1
        found.offer(past.end, _sample, past, *places[past.record_id])
    found.add_golden_records(
        {past.record_id: past.before.record_values if past.before else None for past in chunk}
    )


def _sample(past: Past, key: str, customer: str) -> dict[str, Any]:
    told = []
    if past.end == "restored" and past.before:
        now, before = (
            [state.values[name] for name in ATTRIBUTES] for state in (past.now, past.before)
        )
        told = differences(now, before)
    return {"key": key, "customer": customer, "differences": told}


def _refuse_when_busy(batch: LoadBatch) -> None:
    if batch.job is None:
        raise UndoRefused(_("This file was never loaded: there is nothing to undo."))
    if batch.job.is_live:
        raise UndoRefused(_("This file is being loaded: stop the load first."))
    if batch.undo_job and batch.undo_job.is_live:
        raise UndoRefused(_("This file is being undone already."))
    if batch.undo_job and batch.undo_job.state == Job.State.DONE:
        raise UndoRefused(_("This file was undone already: load it again to bring it back."))


def _samples_path(key: str) -> Any:
    return location(f"loads/undo-{key}{SAMPLES}")


def _write_samples(preview: Job, found: Samples) -> None:
    path = _samples_path(str(preview.pk))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(found.kept, cls=DjangoJSONEncoder), encoding="utf-8")
