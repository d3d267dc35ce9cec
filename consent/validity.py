"""Until when a consent is good, as pages show it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from consent.channel_rules import end_of_consent
from consent.facts import Permission
from consent.policy_packs import SINCE_EVER, PolicyPack


@dataclass(frozen=True, slots=True)
class Validity:
    """When a consent runs out, seen from an instant; None when nobody knows how old it is."""

    ends_at: datetime | None
    is_expired: bool
    is_renewal_due: bool


def validity_of(
    permission: Permission, channel: str, purpose: str, *, at: datetime, policy: PolicyPack
) -> Validity | None:
    """Return when a consent runs out; None when it does not, or when there is none."""
    ends_at = end_of_consent(permission, channel, purpose, at=at, policy=policy)
    if ends_at is None:
        return None
    if ends_at == SINCE_EVER:
        return Validity(None, is_expired=True, is_renewal_due=False)
    is_expired = ends_at <= at
    notice = timedelta(days=policy.renewal_notice_days)
    return Validity(ends_at, is_expired, not is_expired and ends_at - notice <= at)
