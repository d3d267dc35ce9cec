"""A policy pack as a document: what the database keeps, what travels as a file, what is signed.

Reading is strict: whatever is unknown, missing or senseless is refused in words, so that a pack
that the gate cannot follow is never stored.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from consent.facts import ANY, ChannelCode, EvidenceLevel
from consent.policy_packs import (
    FR_2026_11,
    PARIS,
    SINCE_EVER,
    ConsentValidity,
    PolicyPack,
    SectorBan,
    paris_midnight,
)

Document = Mapping[str, Any]
SALE_KINDS = ("purchase", "paid_subscription", "freemium_with_remuneration", "account_only")
BOUNDS: Mapping[str, tuple[int, int]] = {
    "inactive_after_years": (1, 10),
    "renewal_notice_days": (0, 730),
    "soft_opt_in_months": (1, 120),
    "joint_consent_below_age": (13, 18),
    "adult_age": (15, 21),
    "call_attempts_maximum": (0, 30),
    "call_attempts_days": (1, 366),
    "target_list_hours": (1, 720),
    "broker_sample_size": (20, 1000),
    "broker_proof_percent": (50, 100),
}
"""The least and the greatest figure a pack may state."""
VALIDITY_MONTHS = (1, 240)
_STATED_LATER = ("broker_sample_size", "broker_proof_percent")
_CHANNELS = frozenset(map(str, ChannelCode))
_KEYS = frozenset(BOUNDS) | {
    "phone_switch",
    "consent_validity",
    "evidence_minimum",
    "confirmation_required",
    "sector_bans",
    "soft_opt_in_sale_kinds",
    "call_hours",
    "information_is_attested",
}


class PolicyRefused(ValueError):
    """No pack can be made of this; the text says what is wrong."""


def completed(document: Document) -> dict[str, Any]:
    """Return a document with the figures that packs did not state once: as the product had them.

    What was signed stays as it is; it reads as it was carried out.
    """
    return {**{name: getattr(FR_2026_11, name) for name in _STATED_LATER}, **document}


def document_of(pack: PolicyPack) -> dict[str, Any]:
    """Return the parameters of a pack as JSON: days and hours as text, sets in order."""
    return {
        **{name: getattr(pack, name) for name in BOUNDS},
        "phone_switch": _day(pack.phone_switch),
        "consent_validity": [
            {"channel": one.channel, "purpose": one.purpose, "months": one.months}
            for one in sorted(pack.consent_validity, key=lambda v: (v.channel, v.purpose))
        ],
        "evidence_minimum": {
            str(channel): int(level) for channel, level in sorted(pack.evidence_minimum.items())
        },
        "confirmation_required": sorted(map(str, pack.confirmation_required)),
        "sector_bans": [
            {
                "sector": ban.sector,
                "channels": sorted(map(str, ban.channels)),
                "since": _day(ban.since),
            }
            for ban in pack.sector_bans
        ],
        "soft_opt_in_sale_kinds": sorted(pack.soft_opt_in_sale_kinds),
        "call_hours": [[f"{start:%H:%M}", f"{end:%H:%M}"] for start, end in pack.call_hours],
        "information_is_attested": pack.information_is_attested,
    }


def read_pack(
    document: Document,
    *,
    code: str = "",
    valid_from: datetime = SINCE_EVER,
    valid_until: datetime | None = None,
) -> PolicyPack:
    """Return the pack that a document describes.

    Raises:
        PolicyRefused: when a parameter is unknown, missing or makes no sense.
    """
    _require(isinstance(document, Mapping), _("The pack is no list of parameters."))
    document = completed(document)
    for name in sorted(set(document) - _KEYS):
        raise PolicyRefused(_("Unknown parameter: %(name)s.") % {"name": name})
    for name in sorted(_KEYS - set(document)):
        raise PolicyRefused(_("The parameter %(name)s is missing.") % {"name": name})
    try:
        pack = _read(document, code, valid_from, valid_until)
    except PolicyRefused:
        raise
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise PolicyRefused(_("A parameter has a value of another kind.")) from error
    _check(pack)
    return pack


def digest_of(document: Document, valid_from: date | None) -> str:
    """Return the SHA-256 of what is signed: the parameters and the day they begin."""
    day = valid_from.isoformat() if valid_from else None
    signed = {"parameters": document, "valid_from": day}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(
    document: Document, code: str, valid_from: datetime, valid_until: datetime | None
) -> PolicyPack:
    return PolicyPack(
        code=code,
        valid_from=valid_from,
        valid_until=valid_until,
        phone_switch=_midnight(document["phone_switch"]),
        inactive_after_years=_figure(document, "inactive_after_years"),
        renewal_notice_days=_figure(document, "renewal_notice_days"),
        soft_opt_in_months=(
            None
            if document["soft_opt_in_months"] is None
            else _figure(document, "soft_opt_in_months")
        ),
        joint_consent_below_age=_figure(document, "joint_consent_below_age"),
        adult_age=_figure(document, "adult_age"),
        call_attempts_maximum=_figure(document, "call_attempts_maximum"),
        call_attempts_days=_figure(document, "call_attempts_days"),
        target_list_hours=_figure(document, "target_list_hours"),
        broker_sample_size=_figure(document, "broker_sample_size"),
        broker_proof_percent=_figure(document, "broker_proof_percent"),
        evidence_minimum={
            channel: EvidenceLevel(level)
            for channel, level in document["evidence_minimum"].items()
            if _channels([channel])
        },
        confirmation_required=_channels(document["confirmation_required"]),
        sector_bans=tuple(
            SectorBan(str(ban["sector"]), _channels(ban["channels"]), _midnight(ban["since"]))
            for ban in document["sector_bans"]
        ),
        soft_opt_in_sale_kinds=_kinds(document["soft_opt_in_sale_kinds"]),
        call_hours=tuple(
            (time.fromisoformat(start), time.fromisoformat(end))
            for start, end in document["call_hours"]
        ),
        information_is_attested=document["information_is_attested"] is True,
        consent_validity=tuple(map(_validity, document["consent_validity"])),
    )


def _check(pack: PolicyPack) -> None:
    missing = sorted(_CHANNELS.difference(pack.evidence_minimum))
    _require(not missing, _("Every channel needs a level of evidence."))
    _require(
        pack.joint_consent_below_age <= pack.adult_age,
        _("Parents consent below the age of majority only."),
    )
    _require(1 <= len(pack.call_hours) <= 2, _("A pack has one or two windows for calls."))
    ends = [edge for window in pack.call_hours for edge in window]
    _require(
        all(before < after for before, after in pairwise(ends)),
        _("The windows for calls must follow one another, each end after its begin."),
    )
    named = [(validity.channel, validity.purpose) for validity in pack.consent_validity]
    _require(len(set(named)) == len(named), _("A validity of consents is stated twice."))


def _validity(row: Document) -> ConsentValidity:
    if row["channel"] != ANY:
        _channels([row["channel"]])
    months, (least, most) = row["months"], VALIDITY_MONTHS
    _require(
        _is_whole(months) and least <= months <= most,
        _("A consent is good for %(least)d to %(most)d months.") % {"least": least, "most": most},
    )
    _require(isinstance(row["purpose"], str), _("A parameter has a value of another kind."))
    return ConsentValidity(row["channel"], row["purpose"], months)


def _figure(document: Document, name: str) -> int:
    value, (least, most) = document[name], BOUNDS[name]
    _require(
        _is_whole(value) and least <= value <= most,
        _("%(name)s is a whole figure from %(least)d to %(most)d.")
        % {"name": name, "least": least, "most": most},
    )
    return int(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _channels(names: Iterable[str]) -> frozenset[str]:
    for name in sorted(set(names) - _CHANNELS):
        raise PolicyRefused(_("Unknown channel: %(name)s.") % {"name": name})
    return frozenset(map(ChannelCode, names))


def _kinds(names: Iterable[str]) -> frozenset[str]:
    for name in sorted(set(names).difference(SALE_KINDS)):
        raise PolicyRefused(_("Unknown kind of sale: %(name)s.") % {"name": name})
    return frozenset(names)


def _day(moment: datetime) -> str:
    return moment.astimezone(PARIS).date().isoformat()


def _midnight(day: str) -> datetime:
    return paris_midnight(date.fromisoformat(day))


def _require(holds: bool, words: str) -> None:  # noqa: FBT001
    if not holds:
        raise PolicyRefused(words)
