"""Which policy pack is the law of which instant, read from the database in one query."""

from collections.abc import Iterable
from datetime import datetime

from consent.models import PolicyVersion
from consent.policy_documents import read_pack
from consent.policy_packs import SINCE_EVER, PolicyPack


def pack_at(at: datetime) -> PolicyPack:
    """Return the pack in force at an instant: the latest that had begun.

    Whoever asks for many people asks for it once. A pack that begins later ends this one.

    Raises:
        LookupError: when the database holds no pack at all, so that the gate cannot answer.
    """
    begun, ends_at = in_force(activated_versions(), at)
    return read_pack(
        begun.parameters,
        code=begun.code,
        valid_from=begun.begins_at or SINCE_EVER,
        valid_until=ends_at,
    )


def in_force(
    versions: Iterable[PolicyVersion], at: datetime
) -> tuple[PolicyVersion, datetime | None]:
    """Return which of some versions, the oldest first, is the law of an instant, and until when.

    Raises:
        LookupError: when none had begun.
    """
    begun: PolicyVersion | None = None
    for version in versions:
        if version.begins_at is not None and version.begins_at > at:
            if begun is None:
                break
            return begun, version.begins_at
        begun = version
    if begun is None:
        raise LookupError("There is no policy pack.")
    return begun, None


def activated_versions() -> list[PolicyVersion]:
    """Return the packs that are the law of some days, the oldest first."""
    versions = PolicyVersion.objects.filter(status=PolicyVersion.Status.ACTIVE)
    return sorted(versions, key=lambda version: version.begins_at or SINCE_EVER)
