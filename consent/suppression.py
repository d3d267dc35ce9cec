"""Remembering whom not to contact without remembering who they are (CNIL MED-2023-040).

A line is an HMAC of the kind and the compared form of a contact point, under a key that stands in
the settings and not in the database. Whoever has the value can ask whether it is on the list;
nobody can read the list.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from consent.facts import EvidenceLevel, Objection, State
from consent.models import ALL_CHANNELS, Suppression, SuppressionList
from mdm import bulk
from mdm.models import ContactPoint
from mdm.standardise.emails import email_key, standardise_email
from mdm.standardise.phones import standardise_phones

REGION = "FR"
_CHUNK = 5_000
Contact = tuple[str, str]
"""A kind of contact point and its compared form."""


class NothingToSuppress(Exception):
    """A text holds no contact point that could be put on a list; the message says so."""


def fingerprints(kind: str, value: str) -> dict[str, str]:
    """Return every fingerprint under which a contact point may stand, with the id of its key."""
    return {_fingerprint(secret, kind, value): key_id for key_id, secret in _keys()}


def read_contacts(lines: Iterable[str]) -> tuple[list[Contact], list[int]]:
    """Read e-mail addresses and telephone numbers, one a line, of which the first cell counts.

    Returns the contacts, and the numbers of the lines that are neither (blank ones aside).
    """
    contacts: list[Contact] = []
    refused: list[int] = []
    for number, line in enumerate(lines, start=1):
        cell = line.replace(";", ",").replace("\t", ",").partition(",")[0].strip().strip('"')
        found = _contact(cell)
        if found:
            contacts.append(found)
        elif cell:
            refused.append(number)
    return contacts, refused


@transaction.atomic
def add_list(
    name: str, contacts: Iterable[Contact], *, channel: str = ALL_CHANNELS, by: User | None
) -> SuppressionList:
    """Add contacts to the list of that name, which is made when it is new; known ones stay once.

    Raises:
        NothingToSuppress: without contacts.
    """
    listed = sorted(set(contacts))
    if not listed:
        raise NothingToSuppress(_("No e-mail address or telephone number was found."))
    found, _is_new = SuppressionList.objects.get_or_create(
        name=name.strip(), defaults={"channel": channel}
    )
    _write(found, listed, by=by)
    return found


def suppress_erased(contacts: Iterable[Contact]) -> None:
    """Keep the fingerprints of an erased person's contact points. Call it inside a transaction."""
    found, _is_new = SuppressionList.objects.get_or_create(
        origin=SuppressionList.Origin.ERASED, defaults={"name": _("Erased people")}
    )
    _write(found, list(contacts), by=None)


def lists_with(kind: str, value: str) -> list[SuppressionList]:
    """Return the lists that hold a contact point, in force or not."""
    lines = Suppression.objects.filter(fingerprint__in=list(fingerprints(kind, value)))
    return list(SuppressionList.objects.filter(pk__in=lines.values("list")))


def suppressions_of(points: Mapping[int, Contact]) -> dict[int, list[Objection]]:
    """Return the lines in force on contact points, by their keys; one or two queries."""
    if not points or not SuppressionList.objects.filter(is_in_force=True).exists():
        return {}
    owners: dict[str, list[int]] = defaultdict(list)
    for key, (kind, value) in points.items():
        for fingerprint in fingerprints(kind, value):
            owners[fingerprint].append(key)
    lines = Suppression.objects.filter(
        fingerprint__in=list(owners), list__is_in_force=True
    ).values_list("fingerprint", "since", "list__channel")
    found: dict[int, list[Objection]] = defaultdict(list)
    for fingerprint, since, channel in lines:
        for key in owners[fingerprint]:
            found[key].append(
                Objection(since, State.OBJECTED, channel, evidence=EvidenceLevel.ORIGIN)
            )
    return found


def lost_line_count() -> int:
    """Count the lines under a key that the settings do not hold: they protect nobody."""
    return Suppression.objects.exclude(key_id__in=[key_id for key_id, _key in _keys()]).count()


def _write(found: SuppressionList, contacts: list[Contact], *, by: User | None) -> None:
    (key_id, secret), *_older = _keys()
    moment = now()
    user = by.pk if by else None
    for start in range(0, len(contacts), _CHUNK):
        rows = {
            _fingerprint(secret, kind, value) for kind, value in contacts[start : start + _CHUNK]
        }
        bulk.insert_ignoring(
            Suppression,
            ["list_id", "fingerprint", "key_id", "since", "added_by_id"],
            [(found.pk, row, key_id, moment, user) for row in sorted(rows)],
        )


def _contact(cell: str) -> Contact | None:
    if "@" in cell:
        address = standardise_email(cell).value
        return ("email", address.casefold()) if address else None
    phones = [phone for phone in standardise_phones(cell, REGION) if phone.is_valid]
    return ("phone", phones[0].value) if len(phones) == 1 else None


def _fingerprint(secret: bytes, kind: str, value: str) -> str:
    # All spellings of a mailbox are one: a dot more must not open the door.
    form = email_key(value) if kind == ContactPoint.Kind.EMAIL else value
    return hmac.new(secret, f"{kind}:{form}".encode(), hashlib.sha256).hexdigest()


def _keys() -> list[tuple[str, bytes]]:
    """Return the keys with their ids, the one that writes first."""
    return [_derived(secret) for secret in settings.SUPPRESSION_KEYS or [settings.SECRET_KEY]]


@lru_cache(maxsize=8)
def _derived(secret: str) -> tuple[str, bytes]:
    key = hashlib.sha256(b"orfevre.suppression\x00" + secret.encode()).digest()
    return hashlib.sha256(b"id\x00" + key).hexdigest()[:8], key
