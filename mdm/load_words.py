"""What people read about the jobs of loading: load, preview, undo, standardising again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from mdm import job_words
from mdm.loading.database_jobs import KIND as READ_DATABASE_KIND
from mdm.loading.preview import PREVIEW_KIND
from mdm.loading.undo import PREVIEW_UNDO_KIND, UNDO_KIND
from mdm.loading.work import KIND
from mdm.models import Job, LoadBatch, MappingDraft
from mdm.restandardising import KIND as RESTANDARDISE_KIND

ENDS: tuple[tuple[str, Any, str], ...] = (
    ("new", _("new"), "gold"),
    ("changed", _("changed"), "rare"),
    ("same", _("the same"), "missing"),
    ("stale", _("older than what is known"), "4"),
    ("rejected", _("rejected"), "conflict"),
)
"""What becomes of a row: code, words, tone of the picture."""

_FIGURES = {
    "new": _("New records"),
    "changed": _("Changed records"),
    "same": _("The same as before"),
    "stale": _("Older than what is known"),
    "rejected": _("Rejected lines"),
    "deleted": _("Deleted by the source"),
}


def _batch_url(job: Job) -> str | None:
    batch = job.parameters.get("batch")
    return reverse("mdm:batch", args=[batch]) if batch else None


def _files(those: Sequence[Job]) -> dict[UUID, str]:
    """Return the name of the file of each job, with its source."""
    named = {job.pk: job.parameters.get("batch") for job in those}
    batches = LoadBatch.objects.select_related("source").in_bulk(filter(None, named.values()))
    return {
        key: f"{batch.file_name} · {batch.source}"
        for key, number in named.items()
        if (batch := batches.get(number))
    }


def _file_is_there(job: Job) -> bool:
    """A file that was refused is deleted at once: trying it again cannot help."""
    batch = LoadBatch.objects.filter(pk=job.parameters.get("batch")).first()
    return batch is not None and bool(batch.stored_file)


job_words.describe(
    KIND,
    job_words.JobWords(
        label=_("Load of a file"),
        phases={
            "reading": _("Reads and checks the whole file"),
            "loading": _("Loads the rows"),
            "deleting": _("Deletes what the full file no longer holds"),
        },
        figures=_FIGURES,
        icon="upload_file",
        result_url=_batch_url,
        subjects=_files,
        can_retry=_file_is_there,
    ),
)
job_words.describe(
    PREVIEW_KIND,
    job_words.JobWords(
        label=_("Preview of a file"),
        phases={
            "reading": _("Reads and checks the whole file"),
            "comparing": _("Compares the rows with what is known"),
        },
        figures=_FIGURES,
        icon="preview",
        result_url=_batch_url,
        subjects=_files,
        can_retry=_file_is_there,
    ),
)


def _read_batch_url(job: Job) -> str | None:
    result = job.result or {}
    draft = result.get("draft")
    if draft and MappingDraft.objects.filter(pk=draft).exists():  # It goes when it is mapped.
        return reverse("mdm:mapping-draft", args=[draft])
    return reverse("mdm:batch", args=[result["batch"]]) if result.get("batch") else None


job_words.describe(
    READ_DATABASE_KIND,
    job_words.JobWords(
        label=_("Reading of a source's database"),
        phases={"querying": _("Takes the rows of the query")},
        figures={},
        icon="database",
        result_url=_read_batch_url,
    ),
)
_UNDOING = {
    "restored": _("Records as before"),
    "deleted": _("Records born with the file, deleted"),
    "revived": _("Records the file had deleted, back again"),
    "kept": _("Changed again by a later file, kept"),
    "claims": _("Consents taken back"),
}


def _undo_preview_url(job: Job) -> str:
    return reverse("mdm:batch-undo", args=[job.parameters["batch"], job.pk])


job_words.describe(
    UNDO_KIND,
    job_words.JobWords(
        label=_("Undoing of a file"),
        phases={"undoing": _("Gives the records back what they said before")},
        figures=_UNDOING,
        icon="undo",
        result_url=_batch_url,
        subjects=_files,
    ),
)
job_words.describe(
    PREVIEW_UNDO_KIND,
    job_words.JobWords(
        label=_("Preview of the undoing of a file"),
        phases={"comparing": _("Looks up what the records said before")},
        figures=_UNDOING,
        icon="preview",
        result_url=_undo_preview_url,
        subjects=_files,
    ),
)
UNDO_ENDS: tuple[tuple[str, Any, str], ...] = (
    ("restored", _("as before"), "rare"),
    ("deleted", _("born with the file, deleted"), "conflict"),
    ("revived", _("deleted by the file, back again"), "gold"),
    ("kept", _("changed since, kept"), "missing"),
)
"""What becomes of a record that a file touched: code, words, tone of the picture."""
job_words.describe(
    RESTANDARDISE_KIND,
    job_words.JobWords(
        label=_("Standardising again"),
        phases={"reading_again": _("Reads the stored rows again with the present rules")},
        figures={"records": _("Records read again"), "changed": _("Changed records")},
        icon="published_with_changes",
    ),
)
