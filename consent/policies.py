"""Which policy pack is the law of which instant, read from the database in one query."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, Protocol, TypeVar

from django.db import connection

from consent.models import PolicyVersion
from consent.policy_documents import read_pack
from consent.policy_packs import SINCE_EVER, PolicyPack
from mdm.instants import instant_of


class Dated(Protocol):
    """What is the law from an instant on; None for since ever."""

    @property
    def begins_at(self) -> datetime | None:
        """When it begins."""


# Every question begins here, and the ORM would take longer than all the rest of it.
_ACTIVE = """
SELECT code, CAST(parameters AS text), CAST(begins_at AS text)
FROM consent_policyversion WHERE status = 'active'
"""
Law = TypeVar("Law", bound=Dated)


class _Stored(NamedTuple):
    code: str
    parameters: str
    begins_at: datetime | None


def pack_at(at: datetime) -> PolicyPack:
    """Return the pack in force at an instant: the latest that had begun.

    Whoever asks for many people asks for it once. A pack that begins later ends this one.

    Raises:
        LookupError: when the database holds no pack at all, so that the gate cannot answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE)
        laws = [
            _Stored(code, text, instant_of(begins) if begins else None)
            for code, text, begins in cursor.fetchall()
        ]
    return _read(*in_force(_oldest_first(laws), at))


@lru_cache
def _read(stored: _Stored, ends_at: datetime | None) -> PolicyPack:
    # Kept under all that was read, so that no pack is answered but the one that is stored now.
    return read_pack(
        json.loads(stored.parameters),
        code=stored.code,
        valid_from=stored.begins_at or SINCE_EVER,
        valid_until=ends_at,
    )


def in_force(laws: Iterable[Law], at: datetime) -> tuple[Law, datetime | None]:
    """Return which of some laws, the oldest first, is that of an instant, and until when.

    Raises:
        LookupError: when none had begun.
    """
    begun: Law | None = None
    for law in laws:
        if law.begins_at is not None and law.begins_at > at:
            if begun is None:
                break
            return begun, law.begins_at
        begun = law
    if begun is None:
        raise LookupError("There is no policy pack.")
    return begun, None


def activated_versions() -> list[PolicyVersion]:
    """Return the packs that are the law of some days, the oldest first."""
    return _oldest_first(PolicyVersion.objects.filter(status=PolicyVersion.Status.ACTIVE))


def _oldest_first(laws: Iterable[Law]) -> list[Law]:
    return sorted(laws, key=lambda law: law.begins_at or SINCE_EVER)
