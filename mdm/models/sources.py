"""Where records come from: source systems, their field mappings and the batches loaded."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from mdm.audit import AuditTrail
from mdm.mapping import DATABASE_VARIABLE
from mdm.models.jobs import Job


class FileMode(models.TextChoices):
    """What a missing row means: nothing (delta), or that the record is gone (full)."""

    DELTA = "delta", _("Delta: only what changed")
    FULL = "full", _("Full: what is missing is deleted")


class SourceSystem(models.Model):
    """A system that feeds customers: the CRM, the shop, the newsletter, the tills."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    label = models.CharField(_("name"), max_length=100)
    trust = models.PositiveSmallIntegerField(
        _("trust"),
        default=50,
        validators=[MaxValueValidator(100)],
        help_text=_("From 0 to 100; the value of the more trusted source survives."),
    )
    region = models.CharField(
        _("country"),
        max_length=2,
        default="FR",
        help_text=_("Country of numbers and postcodes written without one (two letters)."),
    )
    file_mode = models.CharField(
        _("what its files hold"), max_length=5, choices=FileMode, default=FileMode.DELTA
    )
    one_record_per_person = models.BooleanField(
        _("one record per person"),
        default=False,
        help_text=_("Two records of this source are never linked automatically."),
    )
    owner = models.CharField(_("owner"), max_length=100, blank=True)
    broker = models.CharField(
        _("broker"),
        max_length=100,
        blank=True,
        help_text=_(
            "Who sold or rented the addresses. Consents in its files wait in quarantine until "
            "the data protection officer has seen a sample of their proofs."
        ),
    )
    broker_contract = models.CharField(
        _("contract with the broker"),
        max_length=100,
        blank=True,
        help_text=_("Its reference: where it says that proofs are handed over on demand."),
    )
    watched_folder = models.SlugField(
        _("watched folder"),
        max_length=60,
        blank=True,
        help_text=_("Name of a folder; the files dropped into it are loaded by themselves."),
    )
    database_variable = models.CharField(
        _("database"),
        max_length=60,
        blank=True,
        validators=[RegexValidator(rf"\A{DATABASE_VARIABLE}\Z")],
        help_text=_(
            "Name of the environment variable that holds the address of the source's own "
            "database, such as SOURCE_DATABASE_CRM; the address itself is not kept here."
        ),
    )
    database_query = models.TextField(
        _("query"), blank=True, help_text=_("The SELECT that load --from-database reads.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    history = AuditTrail()

    class Meta:
        verbose_name = _("source system")
        verbose_name_plural = _("source systems")
        ordering = ["label"]
        permissions = [
            ("import_sourcesystem", _("Can import source systems from a file")),
            ("export_sourcesystem", _("Can export source systems to a file")),
        ]
        constraints = [
            models.CheckConstraint(
                name="source_system_trust_is_a_percentage", condition=Q(trust__lte=100)
            ),
            models.CheckConstraint(
                name="source_system_broker_has_a_contract",
                condition=Q(broker="") | ~Q(broker_contract=""),
                violation_error_message=_("Name the contract with the broker, too."),
            ),
            models.UniqueConstraint(
                name="source_system_watches_a_folder_of_its_own",
                fields=["watched_folder"],
                condition=~Q(watched_folder=""),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_broker(self) -> bool:
        """True when its addresses were bought or rented."""
        return bool(self.broker)


class FieldMapping(models.Model):
    """One version of how a source's columns become attributes; the latest is in force."""

    source = models.ForeignKey(
        SourceSystem, models.CASCADE, related_name="mappings", verbose_name=_("source system")
    )
    version = models.PositiveIntegerField(_("version"))
    document = models.JSONField(
        _("document"), help_text=_("File options and columns, as docs/loading.md describes them.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("field mapping")
        verbose_name_plural = _("field mappings")
        ordering = ["source", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "version"], name="field_mapping_unique_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} v{self.version}"


class ValueMap(models.Model):
    """What the codes of a column mean, kept to be used again: `O` is yes, `1` is a man.

    Mappings copy the entries, so that a version goes on meaning what it meant.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    label = models.CharField(_("label"), max_length=100)
    entries = models.JSONField(
        _("entries"), help_text=_("Value in the file → what it means, such as O → yes.")
    )
    history = AuditTrail()

    class Meta:
        verbose_name = _("value map")
        verbose_name_plural = _("value maps")
        ordering = ["label"]
        permissions = [
            ("import_valuemap", _("Can import value maps from a file")),
            ("export_valuemap", _("Can export value maps to a file")),
        ]

    def __str__(self) -> str:
        return self.label


class MappingDraft(models.Model):
    """A file somebody sent whose columns are being mapped; gone once the mapping is saved."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(
        SourceSystem, models.CASCADE, null=True, blank=True, related_name="+"
    )
    file_name = models.CharField(max_length=255)
    stored_file = models.CharField(max_length=255, help_text="Path below DATA_DIR.")
    sha256 = models.CharField(max_length=64)
    layout = models.JSONField(default=dict, help_text="As in LoadBatch, when first read.")
    mode = models.CharField(max_length=5, choices=FileMode, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return self.file_name


_HOW_FAR = {
    Job.State.QUEUED: pgettext_lazy("file", "waiting"),
    Job.State.RUNNING: pgettext_lazy("file", "being loaded"),
    Job.State.DONE: pgettext_lazy("file", "loaded"),
    Job.State.FAILED: pgettext_lazy("file", "failed"),
    Job.State.CANCELLED: pgettext_lazy("file", "stopped"),
}


class LoadBatch(models.Model):
    """One file for one source: what it was, what it changed, what it refused.

    A batch that was only previewed has no job yet: it waits to be applied or thrown away.
    """

    source = models.ForeignKey(
        SourceSystem, models.PROTECT, related_name="batches", verbose_name=_("source system")
    )
    mapping = models.ForeignKey(
        FieldMapping, models.PROTECT, related_name="+", verbose_name=_("field mapping")
    )
    job = models.OneToOneField(
        "mdm.Job", models.PROTECT, null=True, related_name="batch", verbose_name=_("job")
    )
    preview_job = models.OneToOneField(
        "mdm.Job", models.PROTECT, null=True, blank=True, related_name="previewed_batch"
    )
    undo_job = models.OneToOneField(
        "mdm.Job", models.PROTECT, null=True, blank=True, related_name="undone_batch"
    )
    file_name = models.CharField(_("file name"), max_length=255)
    stored_file = models.CharField(
        max_length=255, blank=True, help_text="Path below DATA_DIR; empty once deleted."
    )
    watched_file = models.CharField(
        max_length=255,
        blank=True,
        help_text="Path below WATCHED_FOLDERS of the file it came from; empty once put away.",
    )
    sha256 = models.CharField(max_length=64)
    layout = models.JSONField(
        default=dict,
        blank=True,
        help_text="How the file was read: format, encoding, delimiter, sheet, columns.",
    )
    mode = models.CharField(_("file mode"), max_length=5, choices=FileMode)
    new_count = models.PositiveIntegerField(_("new"), default=0)
    changed_count = models.PositiveIntegerField(_("changed"), default=0)
    same_count = models.PositiveIntegerField(_("same"), default=0)
    stale_count = models.PositiveIntegerField(_("stale"), default=0)
    rejected_count = models.PositiveIntegerField(_("rejected"), default=0)
    deleted_count = models.PositiveIntegerField(_("deleted"), default=0)
    doubtful_count = models.PositiveIntegerField(
        _("doubtful"),
        null=True,
        help_text="New and changed records with an issue worse than a note.",
    )
    # All that the load wrote into the history of records lies between these keys of it: undoing
    # finds it there, without an index that every load would pay for.
    history_after = models.PositiveBigIntegerField(null=True, editable=False)
    history_until = models.PositiveBigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(_("loaded at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("loaded by"),
    )

    class Meta:
        verbose_name = _("loaded file")
        verbose_name_plural = _("loaded files")
        ordering = ["-pk"]
        permissions = [
            ("load_records", _("Can load files of customers")),
            ("undo_load", _("Can undo a loaded file")),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.file_name}"

    @property
    def is_waiting(self) -> bool:
        """True for a file that was only previewed and may still be applied."""
        return self.job_id is None and bool(self.stored_file)

    @property
    def is_undone(self) -> bool:
        """True once nothing of what it said counts any more."""
        return self.undo_job is not None and self.undo_job.state == Job.State.DONE

    @property
    def state_in_words(self) -> str:
        """How far it came: from its preview to its undoing."""
        if self.is_undone:
            return pgettext("file", "undone")
        if self.job:
            return str(_HOW_FAR[Job.State(self.job.state)])
        return str(_("to be applied or thrown away") if self.is_waiting else _("thrown away"))


class RejectedRow(models.Model):
    """One row a load refused, as it came, with its line, column and reason in words."""

    batch = models.ForeignKey(LoadBatch, models.CASCADE, related_name="rejected_rows")
    line = models.PositiveIntegerField(_("line"))
    column = models.CharField(_("column"), max_length=200, blank=True)
    value = models.TextField(_("value"), blank=True)
    reason = models.CharField(
        _("reason"), max_length=40, help_text="Code; the words stand in mdm/rejects.py."
    )
    raw = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")
        ordering = ["batch", "line", "pk"]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.line}"
