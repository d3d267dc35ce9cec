"""Events are sealed into one chain of hashes, in blocks, by one sealer at a time.

Whoever records events does not touch the chain, so that loads run side by side at full speed:
events are written unsealed, and the sealer appends them afterwards. A person's or a member of
staff's act is sealed as soon as it is committed, a load's events when the sweeper comes round.
What is not sealed yet is told with its age by every check.

The order of the chain is the order of sealing. On PostgreSQL a transaction may commit events
whose keys are smaller than keys sealed already: the sealer looks below the highest sealed key as
long as a transaction that was open at that time may still do so (`floor`).
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.utils.timezone import now

from consent.models import ConsentEvent, EventSeal, SealBlock
from consent.sealed_text import NOTICE_JOIN, event_text, proof_texts
from mdm import bulk

logger = logging.getLogger(__name__)

BLOCK_EVENTS = 5_000
GENESIS = bytes(32)
"""What stands before the first seal and the first block."""
_SALT_BYTES = 16
_LOCK = 0x0F_1E_D6_E2  # One number of PostgreSQL's advisory locks, for the sealer alone.


class Unsealed(NamedTuple):
    """An event that is not in the chain yet, as text."""

    event_id: int
    text: str


class Links(NamedTuple):
    """The rows of a block's seals, and the hash of the last."""

    rows: list[tuple[int, int, bytes, bytes, bytes, bytes]]
    head: bytes


def seal_events(*, seconds: float = 3.0) -> int:
    """Seal what waits, block by block, and return how many events that were.

    It stops after `seconds`, and at once when another sealer is at work.
    """
    sealed, after, end = 0, 0, time.monotonic() + seconds
    while True:
        block = _seal_block(after)
        if block is None:
            return sealed
        sealed += block.last - block.first + 1
        after = block.highest_event
        if time.monotonic() >= end:
            return sealed
        bulk.pause_for_other_writers()


def seal_soon() -> None:
    """Seal right after the present transaction; what fails is left to the sweeper."""
    transaction.on_commit(_seal_quietly, robust=True)


def _seal_quietly() -> None:
    # One block: a withdrawal must not wait until a load of a million is sealed.
    seal_events(seconds=0)


@transaction.atomic
def _seal_block(after: int) -> SealBlock | None:
    """Append one block; None when nothing waits or another sealer has the lock."""
    if not _locked():
        return None
    before = SealBlock.objects.order_by("-number").first()
    waiting = list(unsealed(above=max(after, floor()), limit=BLOCK_EVENTS))
    if not waiting:
        return None
    first = before.last + 1 if before else 1
    links = _link(waiting, first, bytes(before.head) if before else GENESIS)
    bulk.insert(EventSeal, ("number", "event_id", "salt", "digest", "proof", "hash"), links.rows)
    highest = max(waiting[-1].event_id, before.highest_event if before else 0)
    return _close_block(before, first, links, highest)


def _close_block(
    before: SealBlock | None, first: int, links: Links, highest_event: int
) -> SealBlock:
    block = SealBlock(
        number=before.number + 1 if before else 1,
        first=first,
        last=first + len(links.rows) - 1,
        head=links.head,
        previous=bytes(before.hash) if before else GENESIS,
        highest_event=highest_event,
        sealed_at=_clock(),
    )
    block.hash = block_hash(block)
    block.save(force_insert=True)
    return block


def _link(waiting: Iterable[Unsealed], first: int, head: bytes) -> Links:
    waiting = list(waiting)
    proofs = proof_texts([event.event_id for event in waiting])
    rows = []
    for number, event in enumerate(waiting, first):
        salt = secrets.token_bytes(_SALT_BYTES)
        digest = salted(salt, event.text.encode())
        proof = salted(salt, proofs[event.event_id]) if event.event_id in proofs else b""
        head = seal_hash(head, number, digest, proof)
        rows.append((number, event.event_id, salt, digest, proof, head))
    return Links(rows, head)


def salted(salt: bytes, text: bytes) -> bytes:
    """Return the digest under which a text stands in the chain."""
    return hashlib.sha256(salt + text).digest()


def seal_hash(before: bytes, number: int, digest: bytes, proof: bytes) -> bytes:
    """Return the hash of a seal: it binds the event to all that went before."""
    return hashlib.sha256(before + number.to_bytes(8, "big") + digest + proof).digest()


def block_hash(block: SealBlock) -> bytes:
    """Return the hash of a block: it binds its place, its extent and its moment."""
    moment = block.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
    plain = f"{block.number}|{block.first}|{block.last}|{block.highest_event}|{moment}|"
    return hashlib.sha256(bytes(block.previous) + plain.encode() + bytes(block.head)).digest()


def unsealed(*, above: int, limit: int) -> Iterator[Unsealed]:
    """Yield events that are not in the chain, with keys larger than `above`, in key order."""
    query = (
        f"SELECT e.id, {event_text()} FROM consent_consentevent e {NOTICE_JOIN}"  # noqa: S608
        " WHERE e.id > %s AND NOT EXISTS"
        " (SELECT 1 FROM consent_eventseal s WHERE s.event_id = e.id) ORDER BY e.id LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [above, limit])
        for row in cursor.fetchall():
            yield Unsealed(*row)


def oldest_unsealed() -> tuple[int, datetime | None]:
    """Return how many events wait for the sealer, and when the oldest was recorded."""
    waiting = ConsentEvent.objects.filter(pk__gt=floor(), seal=None).order_by("pk")
    oldest = waiting.values_list("recorded_at", flat=True).first()
    return (waiting.count() if oldest else 0), oldest


def floor() -> int:
    """Return the key up to which every event must be sealed: nobody can add one below it."""
    blocks = SealBlock.objects.order_by("-number")
    if connection.vendor == "postgresql":
        # A transaction takes its keys after it began. `sealed_at` was read after the events of
        # its block, so whoever began later takes larger keys than theirs.
        blocks = blocks.filter(sealed_at__lt=_oldest_transaction())
    return blocks.values_list("highest_event", flat=True).first() or 0


def _oldest_transaction() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(min(xact_start), clock_timestamp()) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        (began,) = cursor.fetchone()
    return began  # type: ignore[no-any-return]


def _clock() -> datetime:
    """Return the database's moment: it is compared with when its transactions began."""
    if connection.vendor != "postgresql":
        return now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    return moment  # type: ignore[no-any-return]


def _locked() -> bool:
    """Be the only sealer until the transaction ends; on SQLite there is one writer anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (has_lock,) = cursor.fetchone()
    return bool(has_lock)
