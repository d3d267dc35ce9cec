"""Does the ledger hold? Every event is hashed again and the first bad row is named with its kind.

It reads the chain block by block, so the size of the ledger costs time and no memory. It proves
that nothing was changed, taken out, slipped in or put in another order since it was sealed, as
far as the last block; that the end was not cut off or everything rewritten, a checkpoint kept
outside the database proves (`consent.checkpoints`). It cannot prove that what was recorded was
true.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Max, Subquery
from django.db.models.functions import Coalesce
from django.utils.timezone import now

from consent import projection
from consent.checkpoints import Checkpoint
from consent.models import ConsentEvent, EventSeal, LedgerCheck, NoticeVersion, SealBlock
from consent.sealed_text import NOTICE_JOIN, event_text, proof_texts
from consent.sealing import GENESIS, block_hash, floor, oldest_unsealed, salted
from mdm.key_sets import key_set
from mdm.models import SourceRecord
from mdm.snapshots import one_snapshot

Fault = LedgerCheck.Fault
OnProgress = Callable[[int], None]


class Sealed(NamedTuple):
    """A seal with the text of its event; `text` is None when the event is gone."""

    number: int
    event_id: int
    salt: bytes | None
    digest: bytes
    proof: bytes
    hash: bytes
    erased: bool
    text: str | None


@dataclass(frozen=True, slots=True)
class Bad:
    """The first bad row: what is wrong with it, its place in the chain and its event's key."""

    fault: str
    place: int | None = None
    event_id: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a verification found; `bad` is None when the ledger holds."""

    started_at: datetime
    event_count: int = 0
    erased_count: int = 0
    unsealed_count: int = 0
    oldest_unsealed_at: datetime | None = None
    head: str = ""
    bad: Bad | None = None


class _Broken(Exception):
    def __init__(self, bad: Bad) -> None:
        self.bad = bad


def verify(
    *,
    checkpoints: Iterable[Checkpoint] = (),
    with_states: bool = True,
    on_progress: OnProgress | None = None,
) -> Findings:
    """Verify notices, chain, blocks, checkpoints, and that permissions follow from the events."""
    walk = _Walk(on_progress)
    try:
        _check_notices()
        walk.run()
        _check_checkpoints(checkpoints)
        _check_nothing_slipped_in()
        if with_states:
            _check_states()
    except _Broken as broken:
        walk.bad = broken.bad
    waiting, oldest = oldest_unsealed()
    return replace(walk.findings(), unsealed_count=waiting, oldest_unsealed_at=oldest)


class _Walk:
    """One way through the chain, from its first seal to its last, block by block."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self.started_at = now()
        self.count = self.erased = 0
        self.hash = GENESIS
        self.bad: Bad | None = None
        self.on_progress = on_progress

    def findings(self) -> Findings:
        head = self.hash.hex() if self.count else ""
        return Findings(self.started_at, self.count, self.erased, head=head, bad=self.bad)

    def run(self) -> None:
        """Raise _Broken at the first bad row."""
        before: SealBlock | None = None
        for block in SealBlock.objects.order_by("number").iterator():
            self._check_succession(block, before)
            with one_snapshot():
                self._check_seals(block.first, block.last)
            if bytes(block.head) != self.hash or bytes(block.hash) != block_hash(block):
                raise _Broken(Bad(Fault.REWRITTEN, block.last, detail=f"block {block.number}"))
            before = block
            if self.on_progress:
                self.on_progress(self.count)
        # In one query: a block may have been sealed since the walk began.
        last = Coalesce(Subquery(SealBlock.objects.order_by("-number").values("last")[:1]), 0)
        if stray := EventSeal.objects.filter(number__gt=last).order_by("number").first():
            raise _Broken(Bad(Fault.INSERTED, stray.number, stray.event_id, "outside any block"))

    def _check_succession(self, block: SealBlock, before: SealBlock | None) -> None:
        number, last = (before.number, before.last) if before else (0, 0)
        if block.number != number + 1 or block.first != last + 1:
            raise _Broken(Bad(Fault.MISSING, last + 1, detail=f"block {number + 1}"))
        if bytes(block.previous) != (bytes(before.hash) if before else GENESIS):
            raise _Broken(Bad(Fault.REWRITTEN, block.first, detail=f"block {number + 1}"))

    def _check_seals(self, first: int, last: int) -> None:
        seals = list(_seals("s.number BETWEEN %s AND %s", [first, last]))
        proofs = proof_texts([seal.event_id for seal in seals])
        sha256 = hashlib.sha256
        expected = first
        for seal in seals:
            number, event_id, salt, digest, proof, own, _erased, text = seal
            if number != expected:
                raise _Broken(Bad(Fault.MISSING, expected))
            expected += 1
            if salt is None:
                self.erased += 1
            elif text is None or sha256(salt + text.encode()).digest() != digest:
                raise _Broken(_altered(seal, seals))
            elif proof or event_id in proofs:
                _check_proof(seal, proofs)
            self.hash = sha256(self.hash + number.to_bytes(8, "big") + digest + proof).digest()
            if own != self.hash:
                raise _Broken(Bad(Fault.REWRITTEN, number, event_id))
            self.count += 1
        if expected != last + 1:
            raise _Broken(Bad(Fault.MISSING, expected))
        _check_erasures([seal for seal in seals if seal.salt is None or seal.erased])


def _seals(condition: str, values: Sequence[int]) -> Iterator[Sealed]:
    query = (
        "SELECT s.number, s.event_id, s.salt, s.digest, s.proof, s.hash,"  # noqa: S608
        f" e.erased_at IS NOT NULL, CASE WHEN e.id IS NOT NULL THEN {event_text()} END"
        " FROM consent_eventseal s LEFT JOIN consent_consentevent e ON e.id = s.event_id"
        f" {NOTICE_JOIN} WHERE {condition} ORDER BY s.number"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        yield from map(Sealed._make, cursor.fetchall())


def _altered(seal: Sealed, neighbours: Sequence[Sealed]) -> Bad:
    """Name what is wrong with an event that does not match its seal."""
    if seal.text is None:
        return Bad(Fault.MISSING, seal.number, seal.event_id)
    text = seal.text.encode()
    moved = any(
        other.salt is not None and salted(other.salt, text) == other.digest
        for other in neighbours
        if other.number != seal.number
    )
    return Bad(Fault.REORDERED if moved else Fault.ALTERED, seal.number, seal.event_id)


def _check_proof(seal: Sealed, proofs: Mapping[int, bytes]) -> None:
    if not _matches(seal, proofs):
        raise _Broken(Bad(Fault.PAYLOAD, seal.number, seal.event_id))


def _check_erasures(erased: Sequence[Sealed]) -> None:
    """Refuse a salt that is gone, or an event blanked, where nobody was erased."""
    if not erased:
        return
    lawful = set(
        ConsentEvent.objects.filter(
            pk__in=key_set([seal.event_id for seal in erased]),
            erased_at__isnull=False,
            source_record__status=SourceRecord.Status.ERASED,
        ).values_list("pk", flat=True)
    )
    for seal in erased:
        if seal.event_id not in lawful:
            raise _Broken(Bad(Fault.UNGROUNDED, seal.number, seal.event_id))


def _check_nothing_slipped_in() -> None:
    """Find an event without a seal where every event must have one."""
    last = SealBlock.objects.aggregate(Max("highest_event"))["highest_event__max"] or 0
    slipped = ConsentEvent.objects.filter(pk__lte=min(floor(), last), seal=None).order_by("pk")
    if (event := slipped.first()) is not None:
        raise _Broken(Bad(Fault.INSERTED, event_id=event.pk))


def _check_notices() -> None:
    for notice in NoticeVersion.objects.order_by("pk").iterator():
        if notice.sha256 != notice.digest():
            raise _Broken(Bad(Fault.NOTICE, detail=str(notice)))


def _check_checkpoints(checkpoints: Iterable[Checkpoint]) -> None:
    """Compare with what was written down outside: a shorter or another chain is not ours."""
    for checkpoint in checkpoints:
        block = SealBlock.objects.filter(number=checkpoint.block).first()
        if block is None:
            detail = f"checkpoint of block {checkpoint.block}"
            raise _Broken(Bad(Fault.TRUNCATED, checkpoint.last, detail=detail))
        if bytes(block.hash).hex() != checkpoint.hash or block.last != checkpoint.last:
            detail = f"checkpoint of block {checkpoint.block}"
            raise _Broken(Bad(Fault.REWRITTEN, block.last, detail=detail))


def _check_states() -> None:
    found = projection.rebuild(check=True)
    if found.difference_count:
        raise _Broken(Bad(Fault.STATES, detail=f"{found.difference_count} permission states"))


def keep(findings: Findings, *, by_id: int | None = None) -> LedgerCheck:
    """Store what a verification found, for the DPO's pages."""
    bad = findings.bad or Bad("")
    return LedgerCheck.objects.create(
        started_at=findings.started_at,
        finished_at=now(),
        event_count=findings.event_count,
        erased_count=findings.erased_count,
        unsealed_count=findings.unsealed_count,
        oldest_unsealed_at=findings.oldest_unsealed_at,
        head=findings.head,
        fault=bad.fault,
        place=bad.place,
        event_uuid=event_uuid(bad),
        detail=bad.detail,
        checked_by_id=by_id,
    )


def event_uuid(bad: Bad) -> UUID | None:
    """Return the public id of the bad row's event, when it is still there."""
    found = ConsentEvent.objects.filter(pk=bad.event_id or 0)
    return found.values_list("uuid", flat=True).first()


def event_seals(event_ids: Iterable[int]) -> dict[int, tuple[int, bool]]:
    """Return the place in the chain of each event that has one, and whether it matches its seal.

    An event that was lawfully erased matches: nothing is left to compare.
    """
    return {
        seal.event_id: (seal.number, _matches(seal, {seal.event_id: evidence} if evidence else {}))
        for seal, evidence in sealed_events(list(event_ids))
    }


def sealed_events(event_ids: Sequence[int]) -> Iterator[tuple[Sealed, bytes]]:
    """Yield the seals of these events in their order, each with the text of its evidence."""
    if not event_ids:
        return
    proofs = proof_texts(event_ids)
    among = f"s.event_id IN ({', '.join(['%s'] * len(event_ids))})"
    for seal in _seals(among, event_ids):
        yield seal, proofs.get(seal.event_id, b"")


def _matches(seal: Sealed, proofs: Mapping[int, bytes]) -> bool:
    if seal.salt is None:
        return bool(seal.erased)
    proof = proofs.get(seal.event_id)
    expected = salted(seal.salt, proof) if proof is not None else b""
    is_event = seal.text is not None and salted(seal.salt, seal.text.encode()) == seal.digest
    return is_event and expected == seal.proof
