"""What the sources say: source records and the contact points they carry."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mdm.audit import AuditTrail
from mdm.birth_ids import display, public_id
from mdm.models.sources import LoadBatch, SourceSystem
from mdm.standardise.record import ADDRESS_ATTRIBUTES as ADDRESS_ATTRIBUTES
from mdm.written_json import WrittenJsonField


class PersonValues(models.Model):
    """The standard attributes of a person or organisation; an empty string means unknown."""

    class Civility(models.TextChoices):
        """How a person is addressed."""

        MR = "mr", _("Mr")
        MRS = "mrs", _("Mrs")

    class Sex(models.TextChoices):
        """As stated by a source or implied by the civility."""

        MALE = "m", _("male")
        FEMALE = "f", _("female")

    civility = models.CharField(_("civility"), max_length=3, choices=Civility.choices, blank=True)
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices, blank=True)
    given_name = models.CharField(_("given name"), max_length=100, blank=True)
    family_name = models.CharField(_("family name"), max_length=100, blank=True)
    birth_name = models.CharField(_("birth name"), max_length=100, blank=True)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    organisation = models.CharField(_("organisation"), max_length=200, blank=True)
    identifier = models.CharField(
        _("identifier"), max_length=60, blank=True, help_text=_("A number only one person has.")
    )
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    other_phone = models.CharField(_("other phone"), max_length=32, blank=True)
    website = models.CharField(_("web site"), max_length=200, blank=True)
    street_number = models.CharField(_("street number"), max_length=20, blank=True)
    street = models.CharField(_("street"), max_length=200, blank=True)
    address_complement = models.CharField(_("address complement"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=12, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)

    class Meta:
        abstract = True

    @property
    def full_name(self) -> str:
        """Given and family name, else the organisation; may be empty."""
        return f"{self.given_name} {self.family_name}".strip() or self.organisation


# The attributes of PersonValues in the order in which pages show them.
ATTRIBUTES: tuple[str, ...] = tuple(field.name for field in PersonValues._meta.local_fields)


class SourceRecordQuerySet(models.QuerySet["SourceRecord"]):
    """Source records as matching and golden records read them."""

    def active(self) -> "SourceRecordQuerySet":
        """Records that contribute: neither deleted by their source nor erased."""
        return self.filter(status=SourceRecord.Status.ACTIVE)


class SourceRecord(PersonValues):
    """One customer as one source system knows it: the cross-reference.

    Its key counts births: the customer of a cluster is named after its oldest (smallest key)
    record, so keys are given in order of arrival and never reused. Rows are never deleted; an
    erased record stays as an empty shell.
    """

    class Status(models.TextChoices):
        """Whether the record contributes values."""

        ACTIVE = "active", _("active")
        DELETED = "deleted", _("deleted by its source")
        ERASED = "erased", _("erased")

    # The unique key of the table starts with the source. The keys of source, customer and file
    # have no constraint: they are those of rows that the same transaction wrote or locked, and to
    # look each up again, row by row, was a quarter of the server's work in a load.
    source = models.ForeignKey(
        SourceSystem,
        models.PROTECT,
        related_name="records",
        db_index=False,
        db_constraint=False,
        verbose_name=_("source system"),
    )
    source_key = models.CharField(_("key in the source"), max_length=200)
    status = models.CharField(
        _("status"), max_length=7, choices=Status.choices, default=Status.ACTIVE
    )
    customer = models.ForeignKey(
        "mdm.Customer",
        models.PROTECT,
        related_name="records",
        db_constraint=False,
        verbose_name=_("customer"),
    )
    link_rule = models.CharField(
        max_length=20,
        default="birth",
        help_text="Why the record is with its customer: birth, auto (score) or decision.",
    )
    link_score = models.FloatField(null=True, blank=True, help_text="Bits, for an automatic link.")
    linked_at = models.DateTimeField(null=True, blank=True)
    raw = WrittenJsonField(_("raw values"), default=dict, help_text="Column → value as received.")
    issues = models.JSONField(
        _("issues"), default=list, blank=True, help_text="[[attribute, code], …]; no values."
    )
    standardiser_version = models.PositiveSmallIntegerField(default=1)
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the row as mapped.")
    source_created_at = models.DateTimeField(_("created in the source"), null=True, blank=True)
    source_updated_at = models.DateTimeField(_("updated in the source"), null=True, blank=True)
    batch = models.ForeignKey(
        LoadBatch,
        models.PROTECT,
        related_name="records",
        db_constraint=False,
        verbose_name=_("loaded file"),
    )
    line = models.PositiveIntegerField(_("line"))
    missing_from = models.ForeignKey(
        LoadBatch,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The full file that no longer held the record, while it is deleted.",
    )
    contact_points = models.ManyToManyField(
        "mdm.ContactPoint", through="mdm.RecordContactPoint", related_name="records"
    )
    history = AuditTrail()

    objects = SourceRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("source record")
        verbose_name_plural = _("source records")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_key"], name="source_record_unique_key_in_source"
            )
        ]
        indexes = [
            # For undoing a full file; partial, so that loads do not pay for it.
            models.Index(
                fields=["missing_from"],
                name="source_record_missing_from",
                condition=Q(missing_from__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.source.code}·{self.source_key}"

    @property
    def birth_id(self) -> str:
        """The public id this record was born with, as people read it."""
        return display(public_id(self.pk))


# More people than a household has carry it: a shop's till, an association, a filler. Such a
# value is shown as shared, and is no evidence of identity.
SHARED_ABOVE = 5


class ContactPointQuerySet(models.QuerySet["ContactPoint"]):
    """Contact points as the page of data quality reads them."""

    def shared(self) -> "ContactPointQuerySet":
        """Those carried by more people than a household has, the most shared first."""
        return self.filter(is_shared=True).order_by("-shared_by", "pk")


class ContactPoint(models.Model):
    """One distinct e-mail address, phone number or postal address, whoever carries it."""

    class Kind(models.TextChoices):
        """What can be written to, called or visited."""

        EMAIL = "email", _("e-mail")
        PHONE = "phone", _("phone")
        POST = "post", _("postal address")

    class Status(models.TextChoices):
        """Whether the contact point works; not whether it may be used."""

        USABLE = "usable", _("usable")
        INVALID = "invalid", _("invalid")
        BOUNCED = "bounced", _("bounced")
        REASSIGNED = "reassigned", _("reassigned to somebody else")

    class Audience(models.TextChoices):
        """Whom a message there reaches: the law differs."""

        B2C = "b2c", _("consumer")
        B2B_NAMED = "b2b_named", _("person at work")
        B2B_GENERIC = "b2b_generic", _("organisation")

    kind = models.CharField(_("kind"), max_length=5, choices=Kind.choices)
    value = models.CharField(
        _("value"), max_length=400, help_text="Compared form: case-folded e-mail, E.164, address."
    )
    display = models.CharField(_("display"), max_length=400)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.USABLE
    )
    audience = models.CharField(
        _("audience"), max_length=11, choices=Audience.choices, default=Audience.B2C
    )
    region = models.CharField(_("region"), max_length=2, blank=True)
    shared_by = models.PositiveIntegerField(
        _("shared by"), default=1, help_text=_("Number of live customers that carry it.")
    )
    # True when so many people carry it that it says nothing about who one of them is. A column
    # for the index below: one on the number itself would have each new carrier, by the million,
    # write all indexes of the table anew.
    is_shared = models.GeneratedField(
        expression=models.ExpressionWrapper(
            Q(shared_by__gt=SHARED_ABOVE), output_field=models.BooleanField()
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    objects = ContactPointQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact point")
        verbose_name_plural = _("contact points")
        constraints = [
            # The value comes first: whoever searches one does not know its kind. PostgreSQL
            # compares both byte by byte (migration 0010).
            models.UniqueConstraint(fields=["value", "kind"], name="contact_point_unique_value")
        ]
        indexes = [
            # The list of shared values.
            models.Index(fields=["kind"], name="contact_point_shared", condition=Q(is_shared=True))
        ]

    def __str__(self) -> str:
        return self.display


CARRIED_KINDS = {
    "email": ContactPoint.Kind.EMAIL.value,
    "phone": ContactPoint.Kind.PHONE.value,
    "other_phone": ContactPoint.Kind.PHONE.value,
    "address": ContactPoint.Kind.POST.value,
}
"""The attributes in which a record carries contact points → of what kind they are."""


class RecordContactPoint(models.Model):
    """A source record carries a contact point, in one of its attributes."""

    # The unique key of the table starts with the record. Both keys are those of rows that the
    # same transaction wrote or locked, so they have no constraint, either.
    record = models.ForeignKey(
        SourceRecord, models.CASCADE, related_name="carried", db_index=False, db_constraint=False
    )
    contact_point = models.ForeignKey(
        ContactPoint, models.CASCADE, related_name="carriers", db_constraint=False
    )
    attribute = models.CharField(max_length=20, help_text="email, phone, other_phone or address.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record", "attribute"], name="record_contact_point_one_per_attribute"
            ),
            models.CheckConstraint(
                name="record_contact_point_known_attribute",
                condition=Q(attribute__in=list(CARRIED_KINDS)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {self.attribute}"
