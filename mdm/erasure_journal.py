"""The journal of erasures, outside the database: what a restored backup has to forget again.

A backup still knows whom somebody erased since. So every erasure is written into a file that no
restore of the database touches, before it is committed: one line of JSON, keyed fingerprints and a
moment, no personal data. After a restore, `replay` finds the same people and erases them again by
the same service (I20 in docs/testing.md).

A record is known by the HMAC of its source and its key in the source: keys of rows are given out
anew after a restore, and would name somebody else.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from mdm.fingerprints import fingerprint_keys, fingerprint_of
from mdm.key_sets import key_set
from mdm.models import Erasure, SourceRecord

_DIGEST_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One erasure: the fingerprints of its records, and what apps remember of it besides."""

    digest: str
    key_id: str
    erased_at: str
    records: tuple[str, ...]
    remembered: Mapping[str, Any]


def entry_of(record_ids: Iterable[int], remembered: Mapping[str, Any]) -> Entry:
    """Return the entry of an erasure of these records. The same records make the same digest."""
    key_id, secret = _keys()[0]
    rows = SourceRecord.objects.filter(pk__in=key_set(record_ids))
    named = rows.values_list("source__code", "source_key")
    records = tuple(sorted(_fingerprint(secret, *row) for row in named))
    digest = hashlib.sha256("".join(records).encode()).hexdigest()[:_DIGEST_DIGITS]
    return Entry(digest, key_id, now().isoformat(), records, remembered)


def write(entry: Entry) -> None:
    """Append an entry, on disk when this returns.

    Raises:
        OSError: when the journal cannot be written.
    """
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = {
        **entry.remembered,
        "digest": entry.digest,
        "key": entry.key_id,
        "erased_at": entry.erased_at,
        "records": entry.records,
    }
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(line, separators=(",", ":")) + "\n")
        file.flush()
        os.fsync(file.fileno())


def write_once(entry: Entry) -> None:
    """Append an entry unless the journal has it.

    Raises:
        OSError: when the journal cannot be written.
    """
    if all(known.digest != entry.digest for known in entries()):
        write(entry)


def entries() -> list[Entry]:
    """Return the entries, each erasure once; a line that was cut off is left out."""
    path = _path()
    if not path.exists():
        return []
    found = path.stat()
    return list(_read(path, found.st_size, found.st_mtime_ns))


def missing() -> list[Entry]:
    """Return the entries that this database has not carried out: it is older than they are."""
    known = set(Erasure.objects.values_list("digest", flat=True))
    return [entry for entry in entries() if entry.digest not in known]


def living(found: Sequence[Entry]) -> dict[str, set[int]]:
    """Return, by digest, the customers whose records entries name and who are not erased."""
    wanted: dict[str, str] = {record: entry.digest for entry in found for record in entry.records}
    used = {entry.key_id for entry in found}
    secrets = [secret for key_id, secret in _keys() if key_id in used]
    customers: dict[str, set[int]] = {}
    rows = SourceRecord.objects.exclude(status=SourceRecord.Status.ERASED).order_by()
    for customer, *named in rows.values_list(
        "customer_id", "source__code", "source_key"
    ).iterator():
        for secret in secrets:
            digest = wanted.get(_fingerprint(secret, *named))
            if digest:
                customers.setdefault(digest, set()).add(customer)
    return customers


def names_all(entry: Entry, customer_id: int) -> bool:
    """Tell whether an entry names every record that a customer has."""
    secrets = dict(_keys())
    if entry.key_id not in secrets:
        return False
    rows = SourceRecord.objects.filter(customer=customer_id)
    named = rows.values_list("source__code", "source_key")
    return all(_fingerprint(secrets[entry.key_id], *row) in entry.records for row in named)


def lost_key_count(found: Iterable[Entry]) -> int:
    """Count the entries under a key that the settings do not hold: they find nobody."""
    known = {key_id for key_id, _secret in _keys()}
    return sum(entry.key_id not in known for entry in found)


@lru_cache(maxsize=2)
def _read(path: Path, _size: int, _changed: int) -> tuple[Entry, ...]:
    with path.open(encoding="utf-8") as lines:
        return tuple({entry.digest: entry for entry in _parsed(lines)}.values())


def _parsed(lines: Iterable[str]) -> Iterator[Entry]:
    for line in lines:
        try:
            told = json.loads(line)
            records = tuple(told.pop("records"))
            yield Entry(told.pop("digest"), told.pop("key"), told.pop("erased_at"), records, told)
        except (ValueError, KeyError, TypeError):
            continue


def _path() -> Path:
    return Path(settings.LEDGER_FOLDER) / "erasures.jsonl"


def _fingerprint(secret: bytes, source: str, key: str) -> str:
    return fingerprint_of(secret, f"{source}\x1f{key}")


def _keys() -> list[tuple[str, bytes]]:
    return fingerprint_keys("erasures")
