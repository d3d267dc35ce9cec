"""After a restore: erase again whom the journal says was erased, by the same service."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext_noop

from mdm import erasure, erasure_journal
from mdm.erasure_journal import Entry
from mdm.models import Customer, Erasure, SourceRecord
from mdm.reasons import reason_of


@dataclass(slots=True)
class Replayed:
    """What a replay found: entries of the journal, people erased again, and whom it may not erase.

    `joined` are the public ids of customers of whom only some records were erased: in this older
    database they are still held together with records of somebody else.
    """

    entry_count: int = 0
    missing_count: int = 0
    erased_count: int = 0
    written_count: int = 0
    lost_key_count: int = 0
    joined: list[str] = field(default_factory=list)


def replay(*, check: bool = False) -> Replayed:
    """Carry out again what the journal holds; with `check`, only count. Twice is once."""
    found = erasure_journal.entries()
    told = Replayed(len(found), len(erasure_journal.missing()))
    told.lost_key_count = erasure_journal.lost_key_count(found)
    if check:
        return told
    known = set(Erasure.objects.values_list("digest", flat=True))
    living = erasure_journal.living(found)
    for entry in found:
        if entry.digest not in known or entry.digest in living:
            _carry_out(entry, living.get(entry.digest, set()), told)
    told.written_count = _write_earlier(found)
    return told


@transaction.atomic
def _carry_out(entry: Entry, customer_ids: set[int], told: Replayed) -> None:
    live = {Customer.Status.ACTIVE, Customer.Status.INACTIVE}
    is_whole = True
    for customer in Customer.objects.filter(pk__in=customer_ids, status__in=live).order_by("pk"):
        if not erasure_journal.names_all(entry, customer.pk):
            told.joined.append(customer.public_id)
            is_whole = False
            continue
        words, day = gettext_noop("Erased on %(day)s; again after a restore"), entry.erased_at[:10]
        reason = reason_of(words, day=day)
        erasure.erase(customer, reason=reason, by=None)
        told.erased_count += 1
    erasure.remember_again(entry)
    if is_whole:
        Erasure.objects.get_or_create(digest=entry.digest)


def _write_earlier(found: list[Entry]) -> int:
    """Write into the journal who was erased before there was one, or while it was away."""
    known = {record for entry in found for record in entry.records}
    shells: dict[int, list[int]] = defaultdict(list)
    rows = SourceRecord.objects.filter(status=SourceRecord.Status.ERASED)
    for customer, record in rows.order_by("pk").values_list("customer_id", "pk"):
        shells[customer].append(record)
    written = 0
    for records in shells.values():
        entry = erasure_journal.entry_of(records, {})
        if not known.issuperset(entry.records):
            erasure_journal.write(entry)
            Erasure.objects.get_or_create(digest=entry.digest)
            written += 1
    return written
