"""What the erasure of a person takes out of consent: see `mdm.erasure`.

Her events stay as facts about nobody: contact point and line go, the salt of their seal goes, the
chain still verifies. One thing is kept whole: a refusal on a contact point that others carry,
which protects them (GDPR 17(3)).
"""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext_lazy

from consent.ledger import RESTRICTIVE
from consent.mails import address_fingerprint
from consent.models import (
    AccessPack,
    ConflictResolution,
    ConsentEvent,
    EventSeal,
    Evidence,
    OptInRequest,
    OutgoingMail,
    Pause,
    RightsRequest,
)
from consent.suppression import lines_of, restore_erased, suppress_erased
from mdm.erasure import Memory, Person, erases, remembers
from mdm.models import ContactPoint


def _events(person: Person) -> "QuerySet[ConsentEvent]":
    protects_others = Q(type__in=RESTRICTIVE, contact_point__isnull=False) & ~Q(
        contact_point__in=person.own_points
    )
    hers = ConsentEvent.objects.filter(source_record__in=person.records, erased_at=None)
    return hers.exclude(protects_others)


def _evidence(person: Person) -> "QuerySet[Evidence]":
    # Proof that others' events rest on too stays.
    events = _events(person)
    others = Evidence.objects.filter(events__in=ConsentEvent.objects.exclude(pk__in=events))
    about: Any = Q(events__in=events) | Q(findings__claim__event__in=events)
    return Evidence.objects.filter(about).exclude(pk__in=others).distinct()


@erases(gettext_lazy("Evidence and its documents"), told_in="evidence", rows=_evidence)
def _erase_evidence(person: Person) -> None:
    # Before the events, by which it is found.
    for proof in _evidence(person):
        if proof.file:
            proof.file.delete(save=False)
        proof.reference = proof.file_type = proof.file_sha256 = proof.form_origin = ""
        proof.requested_at = proof.requested_from = None
        proof.confirmed_at = proof.confirmed_from = None
        proof.save()


@erases(
    gettext_lazy("Consent events and the salts of their seals"),
    told_in="consent_events",
    rows=_events,
)
def _erase_events(person: Person) -> None:
    keys = list(_events(person).values_list("pk", flat=True))
    EventSeal.objects.filter(event__in=keys).update(salt=None)
    ConsentEvent.objects.filter(pk__in=keys).update(contact_point=None, line=None, erased_at=now())


@erases(
    gettext_lazy("Contact points, of which a fingerprint goes to the suppression list"),
    untold=gettext_lazy("A fingerprint is only made when a person is erased."),
    rows=lambda person: ContactPoint.objects.filter(pk__in=person.own_points),
)
def _suppress(person: Person) -> None:
    # So that no file of others makes anybody write to her again (GDPR 17(3)).
    suppress_erased(person.own_contacts)


remembers("suppressed", Memory(lambda person: lines_of(person.own_contacts), restore_erased))


def _requests(person: Person) -> "QuerySet[OptInRequest]":
    owners = [address_fingerprint(value) for kind, value in person.own_contacts if kind == "email"]
    return OptInRequest.objects.filter(address_fingerprint__in=owners)


@erases(gettext_lazy("Sign-ups"), told_in="sign_ups", rows=_requests)
def _erase_requests(person: Person) -> None:
    _requests(person).delete()


def _mails(person: Person) -> "QuerySet[OutgoingMail]":
    about: Any = Q(customer=person.customer_id) | Q(contact_point__in=person.own_points)
    return OutgoingMail.objects.filter(about)


@erases(gettext_lazy("Mails"), told_in="mails", rows=_mails)
def _erase_mails(person: Person) -> None:
    _mails(person).delete()


def _pauses(person: Person) -> "QuerySet[Pause]":
    return Pause.objects.filter(source_record__in=person.records)


@erases(gettext_lazy("Pauses"), told_in="pauses", rows=_pauses)
def _erase_pauses(person: Person) -> None:
    Pause.history.filter(source_record__in=person.records).delete()
    _pauses(person)._raw_delete("default")


def _decisions(person: Person) -> "QuerySet[ConflictResolution]":
    judged: Any = Q(events__source_record__in=person.records)
    return ConflictResolution.objects.filter(judged).distinct()


@erases(
    gettext_lazy("Words of decisions on her contradictory consents"),
    told_in="consent_decisions",
    rows=_decisions,
)
def _erase_decisions(person: Person) -> None:
    keys = list(_decisions(person).values_list("pk", flat=True))
    ConflictResolution.objects.filter(pk__in=keys).update(
        reason="", reference="", contact_point=None
    )


def _rights(person: Person) -> "QuerySet[RightsRequest]":
    return RightsRequest.objects.filter(customer=person.customer_id)


@erases(gettext_lazy("Words of her requests"), told_in="requests", rows=_rights)
def _erase_words(person: Person) -> None:
    _rights(person).update(message="", answer_note="", contact_point=None)
    RightsRequest.history.filter(customer=person.customer_id).update(contact_point=None)


def _packs(person: Person) -> "QuerySet[AccessPack]":
    hers: Any = Q(customer=person.customer_id) | Q(customer__merged_into=person.customer_id)
    return AccessPack.objects.filter(hers)


@erases(gettext_lazy("Reasons in access packs made"), told_in="packs", rows=_packs)
def _erase_reasons(person: Person) -> None:
    _packs(person).update(reason="")
