"""The proof pack as JSON-LD: consent records after ISO/IEC TS 27560 in the words of W3C DPV.

One record for each contact point, channel and purpose; its events are the record's statuses
(https://w3id.org/dpv/guides/consent-27560). What the standard has no field for (evidence levels,
seals) stands under a vocabulary of our own, `orf:`.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext

from consent.models import Channel, ConflictResolution, ConsentEvent, Evidence, NoticeVersion
from consent.presentation import MatrixRow, TimelineEntry
from consent.proof.pack import Pack, ProvedEvent
from consent.proof.words import how_to_verify

_CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "orf": "urn:orfevre:vocabulary:",
}
_Type = ConsentEvent.Type
_STATUSES = {
    _Type.GIVEN: ["dpv:ConsentGiven"],
    _Type.CONFIRMED: ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"],
    _Type.REFUSED: ["dpv:ConsentRefused"],
    _Type.WITHDRAWN: ["dpv:ConsentWithdrawn"],
    _Type.OBJECTION: ["dpv:ConsentWithdrawn", "eu-gdpr:A21"],
    _Type.RETRACTED: ["dpv:ConsentInvalidated"],
    _Type.INVALIDATED: ["dpv:ConsentInvalidated"],
}
_UNCHECKED = ["dpv:ConsentUnknown"]
_ACTORS = {
    ConsentEvent.ActorType.PERSON: "dpv:DataSubject",
    ConsentEvent.ActorType.STAFF: "dpv:DataController",
    ConsentEvent.ActorType.SYSTEM: "dpv:DataController",
    ConsentEvent.ActorType.IMPORT: "orf:LoadedFile",
    ConsentEvent.ActorType.BROKER: "orf:BrokersFile",
}
_DATA = {
    Channel.EMAIL: "pd:EmailAddress",
    Channel.SMS: "pd:TelephoneNumber",
    Channel.PHONE: "pd:TelephoneNumber",
    Channel.POST: "pd:PhysicalAddress",
}


def as_json_ld(pack: Pack) -> bytes:
    """Return the pack as a UTF-8 JSON-LD document."""
    document = {
        "@context": _CONTEXT,
        "@id": pack.uuid.urn,
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": str(pack.uuid),
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr",
        "dct:created": pack.made_at.isoformat(),
        "dct:creator": pack.made_by.get_username(),
        "dct:publisher": settings.COMPANY_NAME,
        "dct:language": get_language(),
        "dpv:hasDataSubject": {"@id": _subject(pack), "schema:name": pack.name},
        "dpv:hasRecordOfActivity": _records(pack),
        "dpv:hasNotice": [_notice(notice) for notice in pack.notices],
        "orf:conflictDecisions": [_decision(decided) for decided in pack.decisions],
        "orf:permissionsNow": [_permission(row) for row in pack.matrix.rows],
        "orf:ruleSet": pack.matrix.policy,
        "orf:ledger": _ledger(pack),
        "orf:howToVerify": how_to_verify(),
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _subject(pack: Pack) -> str:
    return f"urn:orfevre:customer:{pack.customer.public_id}"


def _records(pack: Pack) -> list[dict[str, Any]]:
    by_key: Mapping[tuple[str, str, str], list[ProvedEvent]] = defaultdict(list)
    for proved in pack.events:
        event = proved.entry.event
        point = event.contact_point.value if event.contact_point else ""
        purpose = event.purpose.code if event.purpose else ""
        by_key[point, event.channel, purpose].append(proved)
    return [_record(pack, key, events) for key, events in by_key.items()]


def _record(
    pack: Pack, key: tuple[str, str, str], events: Sequence[ProvedEvent]
) -> dict[str, Any]:
    point, channel, _code = key
    first = events[0].entry.event
    # Named after its first event: the same record has the same name in every pack.
    return {
        "@id": f"urn:orfevre:consent-record:{first.uuid}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": str(first.uuid),
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr",
        "dpv:hasDataSubject": {"@id": _subject(pack)},
        "dpv:hasDataController": settings.COMPANY_NAME,
        "dpv:hasJurisdiction": "loc:FR",
        "dpv:hasApplicableLaw": "eu-gdpr:GDPR",
        "dpv:hasProcess": {
            "@type": "dpv:Process",
            "dpv:hasPurpose": {
                "@type": "dpv:Marketing",
                "dct:title": str(first.purpose) if first.purpose else gettext("all prospecting"),
            },
            "dpv:hasPersonalData": _DATA.get(Channel(channel), "dpv:PersonalData")
            if channel in Channel.values
            else "dpv:PersonalData",
            "dpv:hasLegalBasis": "eu-gdpr:A6-1-a",
            "orf:channel": channel,
            "orf:contactPoint": point or None,
        },
        "dpv:hasConsentControl": {
            "@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"],
            "dpv:isExercisedAt": f"{settings.PUBLIC_URL}/preferences/",
        },
        "dpv:hasRight": {"@type": ["dpv:DataSubjectRight", "eu-gdpr:A7-3"]},
        "dpv:hasConsentStatus": [*map(_status, events), *_expired(pack, key)],
    }


def _expired(pack: Pack, key: tuple[str, str, str]) -> Iterator[dict[str, Any]]:
    """Yield the status of a consent that has run out by the rule set of today."""
    for row in pack.matrix.rows:
        for cell in row.cells:
            place = (row.contact_point and row.contact_point.value, row.channel, cell.purpose.code)
            if place == key and cell.validity and cell.validity.is_expired:
                ends_at = cell.validity.ends_at
                yield {
                    "@type": ["dpv:ConsentExpired"],
                    "dpv:isIndicatedAtTime": ends_at.isoformat() if ends_at else None,
                    "orf:ruleSet": pack.matrix.policy,
                }


def _is_brokers_word(event: ConsentEvent) -> bool:
    return event.actor_type == ConsentEvent.ActorType.BROKER


def _status(proved: ProvedEvent) -> dict[str, Any]:
    entry, event = proved.entry, proved.entry.event
    told = {
        "@id": event.uuid.urn,
        "@type": _UNCHECKED if _is_brokers_word(event) else _STATUSES[_Type(event.type)],
        "dpv:isIndicatedBy": _ACTORS[ConsentEvent.ActorType(event.actor_type)],
        "dpv:isIndicatedAtTime": event.occurred_at.isoformat() if event.occurred_at else None,
        "orf:recordedAt": event.recorded_at.isoformat(),
        "orf:evidenceLevel": event.evidence_level,
        "orf:evidence": [] if entry.is_of_another else _evidence(entry),
        "orf:ofAnotherHolder": entry.is_of_another,
        "dpv:hasNotice": {"@id": _notice_id(event.notice_version)}
        if event.notice_version
        else None,
        "orf:seal": asdict(proved.seal) if proved.seal else None,
    }
    if event.annuls_id:
        told["orf:annuls"] = event.annuls.uuid.urn if event.annuls else None
    return told


def _evidence(entry: TimelineEntry) -> list[dict[str, Any]]:
    event = entry.event
    found = [_one_proof(proof) for proof in event.evidence.all()]
    if event.batch:
        file = {"orf:file": event.batch.file_name, "orf:line": event.line}
        found.append({**file, "orf:sha256": event.batch.sha256})
    return found


def _one_proof(proof: Evidence) -> dict[str, Any]:
    point = proof.collection_point
    return {
        "@id": proof.uuid.urn,
        "dpv:hasIndicationMethod": str(proof.get_kind_display()),
        "orf:collectionPoint": point.code if point else None,
        "orf:reference": proof.reference or None,
        "orf:file": bool(proof.file),
        "orf:sha256": proof.file_sha256 or None,
        "orf:form": proof.form_origin or None,
        "orf:askedAt": proof.requested_at.isoformat() if proof.requested_at else None,
        "orf:askedFrom": proof.requested_from,
        "orf:clickedAt": proof.confirmed_at.isoformat() if proof.confirmed_at else None,
        "orf:clickedFrom": proof.confirmed_from,
    }


def _notice_id(notice: NoticeVersion) -> str:
    return f"urn:orfevre:notice:{notice.code}:{notice.version}:{notice.language}"


def _notice(notice: NoticeVersion) -> dict[str, Any]:
    return {
        "@id": _notice_id(notice),
        "@type": "dpv:ConsentNotice",
        "dct:language": notice.language,
        "dct:date": notice.valid_from.isoformat(),
        "dct:description": notice.body,
        "orf:checkboxLabel": notice.checkbox_label or None,
        "orf:sha256": notice.sha256,
        "orf:pictures": [
            {"orf:sha256": picture.sha256, "dct:date": picture.added_at.isoformat()}
            for picture in notice.pictures.all()
        ],
    }


def _decision(decided: ConflictResolution) -> dict[str, Any]:
    point = decided.contact_point
    return {
        "orf:channel": decided.channel,
        "orf:purpose": decided.purpose.code,
        "orf:contactPoint": point.value if point else None,
        "orf:verdict": decided.verdict,
        "orf:reason": decided.reason,
        "orf:reference": decided.reference or None,
        "orf:decidedAt": decided.decided_at.isoformat(),
        "orf:decidedBy": decided.decided_by.get_username(),
        "orf:judged": [{"@id": event.uuid.urn} for event in decided.events.all()],
    }


def _permission(row: MatrixRow) -> dict[str, Any]:
    return {
        "orf:channel": str(row.channel),
        "orf:contactPoint": row.contact_point.value if row.contact_point else None,
        "orf:answers": [
            {
                "orf:purpose": cell.purpose.code,
                "orf:allowed": cell.answer.allowed,
                "orf:rule": cell.shown.rule,
                "orf:reason": cell.shown.reason,
                "orf:law": cell.law,
                "orf:families": list(cell.families),
            }
            for cell in row.cells
        ],
    }


def _ledger(pack: Pack) -> dict[str, Any]:
    head, check = pack.head, pack.last_check
    return {
        "orf:block": head.number if head else None,
        "orf:blockHash": bytes(head.hash).hex() if head else None,
        "orf:verifiedAt": check.finished_at.isoformat() if check else None,
        "orf:intact": not check.fault if check else None,
        "orf:checkpointKey": pack.public_key,
    }
