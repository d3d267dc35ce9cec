"""What staff record for a person: a consent received off-line with its proof, or an objection.

Staff may add a refusal with one click and a consent with evidence only; they never lift what the
person refused: she comes back herself, by a form or her preferences.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _

from consent.acts import record_acts
from consent.facts import CHANNEL_KINDS, Actor, EvidenceLevel, State
from consent.histories import fold_histories, histories
from consent.ledger import PERMISSIVE, NewEvent
from consent.memberships import Membership
from consent.models import ALL_CHANNELS, ConsentEvent, Evidence, NoticeVersion, Purpose
from consent.states import Key, fold
from mdm.models import ContactPoint, Customer, SourceRecord

_REFUSED = frozenset({State.REFUSED, State.WITHDRAWN, State.OBJECTED})
_SIGNED = frozenset({Evidence.Kind.SIGNED_PAPER, Evidence.Kind.RECORDING})
MAX_FILE_BYTES = 10 * 1024 * 1024
_SIGNATURES: dict[str, Callable[[bytes], bool]] = {
    "pdf": lambda start: start.startswith(b"%PDF-"),
    "png": lambda start: start.startswith(b"\x89PNG\r\n\x1a\n"),
    "jpg": lambda start: start.startswith(b"\xff\xd8\xff"),
    "wav": lambda start: start[:4] == b"RIFF" and start[8:12] == b"WAVE",
    "mp3": lambda start: start.startswith(b"ID3") or start[:2] in {b"\xff\xfb", b"\xff\xf3"},
    "ogg": lambda start: start.startswith(b"OggS"),
}


class OfflineRefused(Exception):
    """The consent cannot be recorded; the text says why and what can be done."""


@dataclass(frozen=True, slots=True)
class OfflineConsent:
    """What a member of staff has before her: who agreed to what, when, in which words, and how."""

    contact_point: ContactPoint
    channel: str
    purpose: Purpose
    notice: NoticeVersion
    given_at: datetime
    kind: str
    reference: str = ""
    file: "File[bytes] | None" = None


@transaction.atomic
def record_consent(customer: Customer, told: OfflineConsent, *, by: User) -> list[ConsentEvent]:
    """Record a consent the person gave off-line.

    Signed paper or a recording kept as a file is the best proof (level 4); a reference to a
    document kept elsewhere, or a letter, is level 2.

    Raises:
        OfflineRefused: without evidence, for a contact point that is not hers, for a date to
            come, or where a refusal stands.
    """
    Customer.objects.select_for_update().get(pk=customer.pk)
    record = carrier(customer, told.contact_point)
    if record is None:
        raise OfflineRefused(_("This contact point is not one of the customer's."))
    _refuse_unless_sound(told)
    _refuse_where_she_refused(customer, told)
    proof = kept_evidence(told.kind, told.reference, told.file)
    digest = proof.file_sha256 or told.reference
    act = NewEvent(
        record_id=record.pk,
        type=ConsentEvent.Type.GIVEN,
        channel=told.channel,
        purpose_id=told.purpose.pk,
        contact_point_id=told.contact_point.pk,
        actor_type=Actor.STAFF,
        actor_id=by.pk,
        fact=("offline", record.pk, told.channel, told.purpose.pk, told.given_at, digest),
        evidence_level=_level(told),
        occurred_at=told.given_at,
        notice_version_id=told.notice.pk,
    )
    return record_acts([act], proof)


@transaction.atomic
def record_objection(
    customer: Customer, *, by: User, at: datetime | None = None
) -> list[ConsentEvent]:
    """Record that the person objected to all prospecting, when she told a member of staff so.

    Once, until she consents anew. `at` is when she said so, by default now.
    """
    # One at a time for each customer, so that two clicks are one objection.
    Customer.objects.select_for_update().get(pk=customer.pk)
    record = SourceRecord.objects.filter(customer=customer).order_by("pk").first()
    if record is None:
        return []
    return object_for(customer, record, ALL_CHANNELS, "offline objection", by=by, at=at)


def object_for(
    customer: Customer,
    record: SourceRecord,
    channel: str,
    fact: str,
    *,
    by: User,
    at: datetime | None = None,
) -> list[ConsentEvent]:
    """Record an objection that the person told a member of staff: once, until she consents anew.

    Args:
        customer: who objects; her row is locked.
        record: what the objection hangs from.
        channel: what she objects to.
        fact: what she told, as one kind of act; part of what the event is stored under.
        by: who was told.
        at: when, by default now.
    """
    own = ConsentEvent.objects.filter(source_record__customer=customer, type__in=PERMISSIVE)
    after = own.order_by("-pk").values_list("pk", flat=True).first()
    act = NewEvent(
        record_id=record.pk,
        type=ConsentEvent.Type.OBJECTION,
        channel=channel,
        purpose_id=None,
        contact_point_id=None,
        actor_type=Actor.STAFF,
        actor_id=by.pk,
        fact=(fact, customer.pk, after or 0),
        evidence_level=EvidenceLevel.ORIGIN,
        occurred_at=at or now(),
    )
    return record_acts([act], Evidence(kind=Evidence.Kind.SPOKEN))


def carrier(customer: Customer, point: ContactPoint) -> SourceRecord | None:
    """Return the customer's newest active record that carries a contact point."""
    carrying = SourceRecord.objects.active().filter(customer=customer, contact_points=point)
    return carrying.order_by("-pk").first()


def file_type(file: "File[bytes]") -> str:
    """Return the type a file's first bytes tell: what it calls itself is not believed.

    Raises:
        OfflineRefused: when it is none of the types kept as evidence, or too large.
    """
    if file.size > MAX_FILE_BYTES:
        raise OfflineRefused(_("The file is larger than 10 MB."))
    file.seek(0)
    start = file.read(16)
    file.seek(0)
    for name, fits in _SIGNATURES.items():
        if fits(start):
            return name
    raise OfflineRefused(_("Evidence is kept as PDF, PNG, JPEG, WAV, MP3 or Ogg."))


def _refuse_unless_sound(told: OfflineConsent) -> None:
    if told.contact_point.kind not in CHANNEL_KINDS[told.channel]:
        raise OfflineRefused(_("This contact point does not serve that channel."))
    if not (told.reference.strip() or told.file):
        raise OfflineRefused(
            _("Name the document and where it is kept, or add it: a consent needs its proof.")
        )
    if told.given_at > now():
        raise OfflineRefused(_("The day of the consent lies in the future."))


def _refuse_where_she_refused(customer: Customer, told: OfflineConsent) -> None:
    told_by = histories(Membership([customer.pk]))
    key = Key(told.contact_point.pk, told.channel, told.purpose.code)
    states = fold_histories(told_by).get(customer.pk, {})
    state = states.get(key) or fold(told_by.get(customer.pk, []), key)
    if state.state == State.CONTESTED:
        raise OfflineRefused(
            _("Her records contradict each other here: the data protection officer decides first.")
        )
    if state.state not in _REFUSED or state.since is None:
        return
    raise OfflineRefused(
        _(
            "The person said no on %(day)s. Staff cannot lift that: invite her to sign up again, "
            "or to use the link of her preferences."
        )
        % {"day": date_format(localtime(state.since), "DATE_FORMAT")}
    )


def _level(told: OfflineConsent) -> EvidenceLevel:
    is_kept = told.kind in _SIGNED and told.file is not None
    return EvidenceLevel.SIGNED if is_kept else EvidenceLevel.FORM


def kept_evidence(kind: str, reference: str, file: "File[bytes] | None") -> Evidence:
    """Return evidence, unsaved, whose document is stored under a name of our own.

    Raises:
        OfflineRefused: when the file is none of the types kept as evidence, or too large.
    """
    proof = Evidence(kind=kind, reference=reference.strip())
    if file:
        proof.file_type = file_type(file)
        proof.file_sha256 = _sha256(file)
        # The file's own name may be a person's.
        proof.file.save(f"{proof.uuid}.{proof.file_type}", file, save=False)
    return proof


def _sha256(file: "File[bytes]") -> str:
    digest = hashlib.sha256()
    for block in file.chunks():
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()
