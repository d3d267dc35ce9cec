"""Tables of what a person permitted and asked, and of the lists and files that named her."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Prefetch, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models import ListDownload, TargetListMember
from config.access.documents import proofs_about
from config.access.subject import Subject
from config.access.table import Table
from consent.mails import address_fingerprint
from consent.models import (
    AccessPack,
    CallAttempt,
    ConflictResolution,
    ConsentEvent,
    Evidence,
    OptInChoice,
    OptInRequest,
    OutgoingMail,
    Pause,
    PermissionState,
    ProofPack,
    RightsRequest,
)
from consent.presentation import permission_matrix
from consent.resolving import decisions_about
from mdm.models import ContactPoint
from mdm.staff import staff_name

Rows = Iterable[Sequence[Any]]


def _permissions(subject: Subject) -> Rows:
    if subject.is_erased:
        return
    matrix = permission_matrix(subject.customer)
    for row in matrix.rows:
        point = subject.veil.point(row.contact_point)
        for cell in row.cells:
            yield (
                matrix.at,
                row.channel,
                cell.purpose.code,
                point,
                cell.state,
                cell.shown.rule,
                cell.shown.basis,
                cell.law,
                cell.shown.reason,
                list(cell.families),
            )


def _events(subject: Subject) -> Rows:
    events = ConsentEvent.objects.filter(source_record__in=subject.keys)
    related = ("contact_point", "purpose", "notice_version", "batch", "annuls")
    for event in events.select_related(*related).order_by("recorded_at", "pk"):
        yield (
            event.uuid,
            event.type,
            event.channel,
            event.purpose.code if event.purpose else None,
            subject.veil.point(event.contact_point),
            event.actor_type,
            event.evidence_level,
            event.claims_double_opt_in,
            event.occurred_at,
            event.recorded_at,
            *subject.name_of(event.source_record_id),
            event.batch.file_name if event.batch else None,
            event.line,
            str(event.notice_version) if event.notice_version else None,
            event.notice_version.body if event.notice_version else None,
            event.annuls.uuid if event.annuls else None,
            event.erased_at,
        )


def _evidence(subject: Subject) -> Rows:
    hers = ConsentEvent.objects.filter(source_record__in=subject.keys)
    proofs = proofs_about(subject.keys).select_related("collection_point")
    files = {document.proof.pk: document.file_name for document in subject.told_documents}
    for proof in proofs.prefetch_related(Prefetch("events", queryset=hers.order_by("pk"))):
        yield (
            proof.uuid,
            [str(event.uuid) for event in proof.events.all()],
            proof.kind,
            proof.collection_point.code if proof.collection_point else None,
            proof.reference,
            bool(proof.file),
            files.get(proof.pk),
            proof.file_sha256,
            proof.form_origin,
            proof.requested_at,
            proof.requested_from,
            proof.confirmed_at,
            proof.confirmed_from,
        )


def _decisions(subject: Subject) -> Rows:
    for decided in decisions_about(subject.customer).reverse():
        if all(e.source_record_id in subject.by_key for e in decided.events.all()):
            yield (
                decided.decided_at,
                decided.channel,
                decided.purpose.code,
                subject.veil.point(decided.contact_point),
                decided.verdict,
                decided.reason,
                decided.reference,
                [str(event.uuid) for event in decided.events.all()],
            )


def _pauses(subject: Subject) -> Rows:
    pauses = Pause.objects.filter(source_record__in=subject.keys).order_by("pk")
    for pause in pauses.select_related("contact_point"):
        yield subject.veil.point(pause.contact_point), pause.starts_at, pause.ends_at


def _calls(subject: Subject) -> Rows:
    calls = CallAttempt.objects.filter(source_record__in=subject.keys).order_by("pk")
    for call in calls.select_related("contact_point", "purpose"):
        point = subject.veil.point(call.contact_point)
        yield call.called_at, point, call.purpose.code, call.outcome


def _sign_ups(subject: Subject) -> Rows:
    email = ContactPoint.Kind.EMAIL
    addresses = [point.value for point in subject.told_points if point.kind == email]
    owners = [address_fingerprint(address) for address in addresses]
    asked = OptInRequest.objects.filter(address_fingerprint__in=owners).order_by("pk")
    for request in asked.select_related("collection_point").prefetch_related("choices__purpose"):
        yield (
            request.uuid,
            request.collection_point.code,
            request.state,
            request.requested_at,
            request.settled_at,
            request.form_origin,
            request.requested_from,
            request.language,
            *(getattr(request, name) for name in OptInRequest.PERSONAL),
            [f"{one.channel}:{one.purpose.code}" for one in request.choices.all()],
        )


def _mails(subject: Subject) -> Rows:
    about: Any = Q(customer__in=subject.id_keys) | Q(contact_point__in=subject.told_points)
    mails = OutgoingMail.objects.filter(about).order_by("pk").select_related("contact_point")
    for mail in mails:
        point = subject.veil.point(mail.contact_point)
        yield mail.kind, point, mail.language, mail.created_at, mail.sent_at


def _requests(subject: Subject) -> Rows:
    asked = RightsRequest.objects.filter(customer__in=subject.id_keys).order_by("pk")
    for request in asked.select_related("contact_point"):
        yield (
            request.uuid,
            request.kind,
            request.door,
            request.state,
            request.received_at,
            request.due_on,
            request.message,
            subject.veil.point(request.contact_point),
            request.answered_at,
            request.answer_note,
        )


def _packs(subject: Subject) -> Rows:
    packs: list[ProofPack | AccessPack] = [
        *ProofPack.objects.filter(customer__in=subject.id_keys),
        *AccessPack.objects.filter(customer__in=subject.id_keys),
    ]
    for pack in sorted(packs, key=lambda pack: pack.made_at):
        kind, reason = "proof", None
        if isinstance(pack, AccessPack):
            kind, reason = "access", pack.reason
        yield kind, pack.uuid, pack.made_at, pack.sha256, reason


def _lists(subject: Subject) -> Rows:
    members = TargetListMember.objects.filter(customer__in=subject.id_keys).order_by("pk")
    for member in members.select_related("target_list__campaign__purpose", "contact_point"):
        target_list = member.target_list
        campaign = target_list.campaign
        yield (
            target_list.pk,
            campaign.name,
            campaign.purpose.code,
            campaign.channel,
            subject.veil.point(member.contact_point),
            target_list.frozen_at,
            target_list.expires_at,
            member.rule,
            member.basis,
        )


def _downloads(subject: Subject) -> Rows:
    lists = TargetListMember.objects.filter(customer__in=subject.id_keys).values("target_list")
    downloads = ListDownload.objects.filter(target_list__in=lists).order_by("pk")
    for download in downloads.select_related("target_list__campaign", "user"):
        yield (
            download.target_list_id,
            download.target_list.campaign.name,
            download.at,
            staff_name(download.user),
            download.reason,
            download.format,
            download.watermark,
        )


TABLES = (
    Table(
        "permissions",
        _("Permissions today"),
        (
            "at",
            "channel",
            "purpose",
            "contact_point",
            "allowed",
            "rule",
            "legal_basis",
            "law",
            "why",
            "product_families",
        ),
        frozenset({PermissionState}),
        _permissions,
    ),
    Table(
        "consent_events",
        _("Consents, refusals and objections"),
        (
            "id",
            "event",
            "channel",
            "purpose",
            "contact_point",
            "by",
            "evidence_level",
            "confirmed_elsewhere",
            "occurred_at",
            "recorded_at",
            "source",
            "source_key",
            "file",
            "line",
            "notice",
            "words_shown",
            "takes_back",
            "erased_at",
        ),
        frozenset({ConsentEvent}),
        _events,
    ),
    Table(
        "evidence",
        _("What proves them"),
        (
            "id",
            "events",
            "kind",
            "collection_point",
            "reference",
            "has_document",
            "document",
            "document_sha256",
            "form",
            "asked_at",
            "asked_from",
            "confirmed_at",
            "confirmed_from",
        ),
        frozenset({Evidence}),
        _evidence,
    ),
    Table(
        "consent_decisions",
        _("Decisions on contradictory consents"),
        (
            "decided_at",
            "channel",
            "purpose",
            "contact_point",
            "verdict",
            "reason",
            "reference",
            "events",
        ),
        frozenset({ConflictResolution}),
        _decisions,
    ),
    Table(
        "pauses",
        _("Pauses"),
        ("contact_point", "starts_at", "ends_at"),
        frozenset({Pause}),
        _pauses,
    ),
    Table(
        "calls",
        _("Calls"),
        ("called_at", "contact_point", "purpose", "outcome"),
        frozenset({CallAttempt}),
        _calls,
    ),
    Table(
        "sign_ups",
        _("Sign-ups"),
        (
            "id",
            "collection_point",
            "state",
            "asked_at",
            "settled_at",
            "form",
            "asked_from",
            "language",
            *OptInRequest.PERSONAL,
            "choices",
        ),
        frozenset({OptInRequest, OptInChoice}),
        _sign_ups,
    ),
    Table(
        "mails",
        _("Mails about consents"),
        ("kind", "contact_point", "language", "written_at", "sent_at"),
        frozenset({OutgoingMail}),
        _mails,
    ),
    Table(
        "requests",
        _("Requests about the data"),
        (
            "id",
            "right",
            "came_by",
            "state",
            "received_at",
            "due_on",
            "message",
            "answer_to",
            "answered_at",
            "answer",
        ),
        frozenset({RightsRequest}),
        _requests,
    ),
    Table(
        "packs",
        _("Packs made before"),
        ("kind", "id", "made_at", "sha256", "reason"),
        frozenset({ProofPack, AccessPack}),
        _packs,
    ),
    Table(
        "target_lists",
        _("Target lists"),
        (
            "list",
            "campaign",
            "purpose",
            "channel",
            "contact_point",
            "frozen_at",
            "expires_at",
            "rule",
            "legal_basis",
        ),
        frozenset({TargetListMember}),
        _lists,
    ),
    Table(
        "downloads",
        _("Downloads of these lists"),
        ("list", "campaign", "at", "by", "reason", "format", "watermark"),
        frozenset({ListDownload}),
        _downloads,
    ),
)
